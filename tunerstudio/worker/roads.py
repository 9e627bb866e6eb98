"""Which trainer an execution takes, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tunerstudio.study.document import StudyDocument
from tunerstudio.worker import fit_road
from tunerstudio.worker.fused import FusedTrainer
from tunerstudio.worker.fused_cache import ProgramCache
from tunerstudio.worker.fused_support import unsupported_reason
from tunerstudio.worker.hypermodels import BuiltModel
from tunerstudio.worker.trainer import Trainer
from tunerstudio.worker.training import FitPlan, TrainingArrays


@dataclass(frozen=True)
class Road:
    """A trainer that was chosen.

    Attributes:
        name: "fused" or "fit".
        reason: Why Keras's fit is used, in a sentence; "" on the fused road.
        train: The trainer.
    """

    name: str
    reason: str
    train: Trainer


ChooseRoad = Callable[[BuiltModel, TrainingArrays, FitPlan, StudyDocument], Road]


class Roads:
    """The trainers of one worker process; the fused one keeps its compiled programs from trial to trial."""

    def __init__(self) -> None:
        """With no program compiled yet."""
        self._fused = FusedTrainer(ProgramCache())

    def choose(self, built: BuiltModel, arrays: TrainingArrays, plan: FitPlan, document: StudyDocument) -> Road:
        """The fastest trainer that gives what `fit` gives for this model and plan."""
        reason = _why_fit(built, arrays, plan, document)
        if reason is None:
            return Road("fused", "", partial(self._fused, relatives=built.relatives))
        return Road("fit", reason, partial(fit_road.train, fit=built.fit))


def _why_fit(built: BuiltModel, arrays: TrainingArrays, plan: FitPlan, document: StudyDocument) -> str | None:
    if document.training.road == "fit":
        return "The study asks for Keras's fit (training.road)."
    if built.fit is not None:
        return "The model's code has a fit of its own."
    return unsupported_reason(built.model, arrays, plan)
