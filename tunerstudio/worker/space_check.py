"""A look at the whole search space without training: what cannot be built and why, sizes, and how long it will take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from tunerstudio.protocol.space import CheckedConfiguration, SearchForecast, SpaceReport
from tunerstudio.study.constraints import broken_constraint, parse_constraints
from tunerstudio.study.errors import ModelError
from tunerstudio.study.hyperparameters import UNCOUNTABLE
from tunerstudio.study.machine import workers_for
from tunerstudio.study.network import search_space
from tunerstudio.study.space_samples import Sample, space_samples
from tunerstudio.worker.opened import NetworkStudy
from tunerstudio.worker.roads import ChooseRoad
from tunerstudio.worker.space_findings import Failure, failure_from, forecast, problems
from tunerstudio.worker.space_inference import NetworkInference, inference_of
from tunerstudio.worker.space_shapes import NetworkFacts
from tunerstudio.worker.space_time import Speed, Timing, speed_from, timed
from tunerstudio.worker.training import StopRequest

OnReport = Callable[[SpaceReport], None]

_REPORT_EVERY_S = 0.3
_MEMORY_SHARE = 0.8
"""Of the machine's memory that one trial may take."""

_TIMED_FLOPS = 2e9
"""Most operations per row and batch of a network that is trained only to be timed: a second on one core."""

_TIMED_MB = 500.0
"""Most memory of such a network."""


@dataclass
class _Facts:
    """What was found out of one configuration that can be built."""

    index: int
    network: NetworkFacts
    batch_size: int


@dataclass
class SpaceCheck:
    """One check of one study; `run` does it.

    Attributes:
        study: With a network of blocks or of code.
        choose_road: Picks the trainer for the timing.
        stop: Ends the check early.
        on_report: Takes reports on the way.
        count: Random configurations.
        time_limit_s: After which no further configuration is looked at; code may be slow to build.
    """

    study: NetworkStudy
    choose_road: ChooseRoad
    stop: StopRequest
    on_report: OnReport
    count: int = 200
    time_limit_s: float = 30.0
    _checked: list[CheckedConfiguration] = field(default_factory=list)
    _failures: list[Failure] = field(default_factory=list)
    _facts: list[_Facts] = field(default_factory=list)
    _speed: Speed | None = None
    _forecast: SearchForecast | None = None

    def run(self) -> SpaceReport:
        """The report on all that was checked before a stop, or in the time that a check may take."""
        self._start = self._reported = time.monotonic()
        document = self.study.document
        self._space = search_space(document, self.study.space)
        constraints = parse_constraints(document.search.constraints)
        samples = list(space_samples(self._space, constraints, self.count, document.search.seed))
        self._total = len(samples)
        inference = inference_of(self.study)
        for sample in samples:
            if self.stop.now:
                return self._report(complete=False)
            if self._checked and time.monotonic() - self._start > self.time_limit_s:
                self._total = len(self._checked)  # what is known by now has to do
                break
            self._check(sample, inference)
            self._tell()
        self.on_report(self._report(complete=False))
        self._measure_speed()
        return self._report(complete=not self.stop.now)

    # One configuration

    def _check(self, sample: Sample, inference: NetworkInference) -> None:
        try:
            network = inference.network(sample.values)
        except ModelError as error:
            self._fail(sample, failure_from(error))
            return
        batch_size = self.study.fit_plan(sample.values, 0, epochs=1).batch_size
        needed, present = network.memory_mb(batch_size), psutil.virtual_memory().total / 1e6
        if needed > _MEMORY_SHARE * present:
            reason = (
                f"the network has {network.weights:,} weights and needs about {needed / 1000:,.0f} GB; "
                f"this machine has {present / 1000:,.0f} GB"
            )
            repair = f"Make {network.largest} smaller: most of the weights are there."
            self._fail(sample, Failure(network.largest, network.largest_field, reason, repair))
            return
        measured = {**sample.values, "parameters": network.weights, "memory_mb": needed}
        if broken_constraint(parse_constraints(self.study.document.search.constraints), measured) is not None:
            return  # no trial will have it
        self._facts.append(_Facts(len(self._checked), network, batch_size))
        self._checked.append(
            CheckedConfiguration(
                kind=sample.kind,
                values=sample.values,
                parameters=network.weights,
                memory_mb=needed,
                flops=network.flops,
            )
        )

    def _fail(self, sample: Sample, failure: Failure) -> None:
        """Note a failure; the same layer or line failing with other sizes is the same problem."""
        known = [one for one in self._failures if one.is_like(failure)]
        if not known:
            known = [failure]
            self._failures += known
        problem = self._failures.index(known[0])
        configuration = CheckedConfiguration(kind=sample.kind, values=sample.values, problem=problem)
        self._checked.append(configuration)
        known[0].examples.append(configuration)

    # Time

    def _measure_speed(self) -> None:
        """Time the network of least cost and the largest that is quickly trained, and estimate all others."""
        fits = [
            one
            for one in self._facts
            if one.network.flops * one.batch_size <= _TIMED_FLOPS and one.network.memory_mb(one.batch_size) <= _TIMED_MB
        ]
        if not fits or self.stop.now:
            return
        costs = sorted(fits, key=lambda one: one.network.flops * one.batch_size)
        small = self._timed(costs[0])
        large = self._timed(costs[-1]) if small is not None and len(costs) > 1 else None
        if small is None:
            return
        self._speed = speed_from(small, large)
        rows = len(self.study.arrays.x_train)
        for one in self._facts:
            seconds = self._speed.epoch_s(one.network.flops, rows, one.batch_size)
            known = self._checked[one.index]
            self._checked[one.index] = known.model_copy(update={"seconds_per_epoch": seconds})
        self._forecast = self._search_forecast()

    def _timed(self, one: _Facts) -> Timing | None:
        values = self._checked[one.index].values
        try:
            return timed(self.study, values, one.network.flops, self.choose_road, self.stop)
        except ModelError as error:
            # What shapes do not show, such as a loss that does not fit: it concerns every configuration.
            self._failures.append(Failure("", "", str(error).rstrip("."), ""))
            sample = self._checked[one.index]
            self._checked[one.index] = sample.model_copy(update={"problem": len(self._failures) - 1})
            self._failures[-1].examples.append(sample)
            return None

    def _search_forecast(self) -> SearchForecast | None:
        assert self._speed is not None
        document = self.study.document
        training = document.training
        least = training.epochs if training.early_stopping is None else min(training.epochs, 2)
        return forecast(
            self._checked,
            document.search.budget.trials,
            (least, training.epochs),
            training.executions,
            workers_for(document.search),
            self._speed.compile_s,
        )

    # Reports

    def _tell(self) -> None:
        if time.monotonic() - self._reported > _REPORT_EVERY_S:
            self._reported = time.monotonic()
            self.on_report(self._report(complete=False))

    def _report(self, complete: bool) -> SpaceReport:
        drawn = [one for one in self._checked if one.kind == "random"]
        wrong = sum(one.problem is not None for one in drawn)
        order = sorted(range(len(self._failures)), key=lambda index: -len(self._failures[index].examples))
        place = {index: rank for rank, index in enumerate(order)}
        size = self._space.count()
        return SpaceReport(
            done=len(self._checked),
            total=self._total,
            combinations=None if size == UNCOUNTABLE else size,
            invalid_share=wrong / max(1, len(drawn)),
            problems=problems([self._failures[index] for index in order], self._checked, self._space),
            configurations=tuple(
                one if one.problem is None else one.model_copy(update={"problem": place[one.problem]})
                for one in self._checked
            ),
            forecast=self._forecast,
            compile_s=None if self._speed is None else self._speed.compile_s,
            took_s=time.monotonic() - self._start,
            complete=complete,
        )
