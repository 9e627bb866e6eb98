"""The host of one pruner: keeps the learning curves, asks it after every epoch, guards what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import JsonValue

from tunerstudio.algorithms import discovery
from tunerstudio.algorithms.curves import LearningCurves
from tunerstudio.algorithms.discovery import check_options
from tunerstudio.algorithms.errors import AlgorithmError
from tunerstudio.algorithms.guard import Guard
from tunerstudio.algorithms.loading import load_module
from tunerstudio.algorithms.manifest import Manifest
from tunerstudio.algorithms.pruning_choice import FIELD, NO_PRUNING, pruning_problems
from tunerstudio.study.errors import StudyError
from tunerstudio.study.search import Objective, Search
from tunerstudio.study.trials import Epoch


class Pruner:
    """One pruner at work on one study.

    What it answers depends on the epochs that it was told of, and on nothing else, so that a search goes on after a
    restart as if nothing had happened: tell it of the stored epochs with `record`. Only the first execution of a
    trial is judged; whoever survives it is worth its repetitions. Not thread-safe.

    Args:
        manifest: Of a usable plugin that has `observe_epoch`.
        objective: Metric and direction.
        max_epochs: Epochs per execution that the study allows.
        options: As in the study document; missing ones take their defaults.
        time_limit_s: How long one answer may take.

    Raises:
        StudyError: If the options are wrong.
        AlgorithmError: If the plugin cannot be loaded.
    """

    def __init__(
        self,
        manifest: Manifest,
        objective: Objective,
        max_epochs: int,
        options: Mapping[str, JsonValue] | None = None,
        time_limit_s: float = 10.0,
    ) -> None:
        complete, problems = check_options(manifest, options or {}, f"{FIELD}.options.")
        if problems:
            raise StudyError(problems)
        self.manifest = manifest
        self.curves = LearningCurves(objective.direction, max_epochs)
        self._metric = objective.name
        self._ended: dict[int, str] = {}
        self._options: dict[str, JsonValue] = dict(complete)
        self._guard = Guard(manifest.id, time_limit_s)
        self._module = self._guard.call(lambda: load_module(manifest), "was loaded")
        if not callable(getattr(self._module, "observe_epoch", None)):
            raise AlgorithmError(manifest.id, f"has no function observe_epoch() in {manifest.module}.py")

    def observe(self, trial: int, execution: int, epoch: int, value: float) -> str | None:
        """Take note of the objective after an epoch.

        Epochs that a worker trained before it heard that its trial ends are not counted: what comes of a trial does
        not depend on how fast the message was.

        Returns:
            Why the trial should end now, in a sentence; None: it goes on. Always None at the last epoch.

        Raises:
            AlgorithmError: If the plugin raised, hung, exited or answered nonsense.
        """
        if trial in self._ended:
            return self._ended[trial]
        self.curves.add(trial, execution, epoch, value)
        if execution > 0 or epoch >= self.curves.max_epochs:
            return None
        answer = self._guard.call(
            lambda: self._module.observe_epoch(self.curves, trial, epoch, dict(self._options)), "judged an epoch"
        )
        if answer is None:
            return None
        if not isinstance(answer, str) or not answer.strip():
            raise AlgorithmError(self.manifest.id, f"answered {answer!r} to an epoch; a reason or None is needed")
        self._ended[trial] = answer.strip()
        return self._ended[trial]

    def observe_metrics(self, epoch: Epoch) -> str | None:
        """The same for an epoch as it is reported; an epoch without the objective says nothing."""
        value = epoch.metrics.get(self._metric)
        return None if value is None else self.observe(epoch.trial, epoch.execution, epoch.epoch, value)

    def record(self, epochs: Iterable[Epoch]) -> None:
        """Take note of stored epochs without judging them."""
        for epoch in epochs:
            if self._metric in epoch.metrics:
                self.curves.add(epoch.trial, epoch.execution, epoch.epoch, epoch.metrics[self._metric])

    def forget(self, trial: int, execution: int | None = None, after: int = 0) -> None:
        """A trial begins again, or goes on from a checkpoint of epoch `after`: later epochs never happened."""
        self._ended.pop(trial, None)
        self.curves.forget(trial, execution, after)


def pruner_for(search: Search, algorithm: Manifest, max_epochs: int) -> Pruner | None:
    """The pruner that the study asks for, or the algorithm itself if it prunes; None if nothing is cut.

    Raises:
        StudyError: If there is no such pruner, its options are wrong, or the algorithm cuts training short itself.
        AlgorithmError: If it cannot be loaded.
    """
    problems = pruning_problems(search, algorithm)
    if problems:
        raise StudyError(problems)
    if search.pruning.method == NO_PRUNING:
        if "prunes" not in algorithm.capabilities:
            return None
        return Pruner(algorithm, search.objective, max_epochs, search.algorithm.options)
    manifest = discovery.get_pruner(search.pruning.method).manifest
    assert manifest is not None  # `get_pruner` refuses one without
    return Pruner(manifest, search.objective, max_epochs, search.pruning.options)
