"""Processor time of a proposal when 25, 100, 200 or 500 trials are known."""

from __future__ import annotations

import time
from typing import Final

import numpy as np
from rich.table import Table as Printed
from threadpoolctl import threadpool_limits

from tunerstudio.algorithms.api import (
    Choice,
    Float,
    Int,
    Proposal,
    Scalar,
    SearchSpace,
    Trial,
    TrialState,
    Values,
    random_values,
)
from tunerstudio.algorithms.discovery import get
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.study.search import Objective

_COUNTS: Final = (25, 100, 200, 500)
_REPETITIONS: Final = 7

SPACE: Final = SearchSpace(
    hyperparameters=(
        Float(name="learning_rate", min=1e-5, max=1e-1, sampling="log"),
        Float(name="dropout", min=0, max=0.6),
        Float(name="weight_decay", min=1e-7, max=1e-2, sampling="log"),
        Int(name="units", min=16, max=512, sampling="log"),
        Int(name="layers", min=1, max=6),
        Choice(name="batch_size", choices=(16, 32, 64, 128)),
        Choice(name="activation", choices=("relu", "tanh", "elu")),
        Choice(name="optimizer", choices=("adam", "sgd", "rmsprop")),
    )
)
"""Eight hyperparameters as a study of dense networks has them."""


def table(algorithms: list[str]) -> Printed:
    """A row per algorithm: median processor seconds of a proposal."""
    printed = Printed(title="Processor seconds per proposal (median)")
    for heading in ("algorithm", *(f"{count} trials" for count in _COUNTS)):
        printed.add_column(heading, justify="left" if heading == "algorithm" else "right")
    with threadpool_limits(limits=1):
        for algorithm in algorithms:
            printed.add_row(algorithm, *(f"{seconds(algorithm, count):.4f}" for count in _COUNTS))
    return printed


def seconds(algorithm: str, count: int) -> float:
    """Median processor seconds of a proposal after `count` trials, the model's parameters going on from the last."""
    manifest = get(algorithm).manifest
    assert manifest is not None
    host = AlgorithmHost(manifest, SPACE, Objective(), 0, count + 100, 20)
    rng = np.random.default_rng(0)
    trials = [_trial(number, random_values(SPACE, rng), {}, rng) for number in range(1, count + 1)]
    taken = []
    for number in range(count + 1, count + 2 + _REPETITIONS):
        start = time.process_time()
        proposal = host.next(trials, number)
        taken.append(time.process_time() - start)
        assert isinstance(proposal, Proposal)
        trials.append(_trial(number, proposal.values, proposal.tags, rng))
    return float(np.median(taken[1:]))


def _trial(number: int, values: Values, tags: dict[str, Scalar], rng: np.random.Generator) -> Trial:
    units = np.array([hyperparameter.to_unit(values[hyperparameter.name]) for hyperparameter in SPACE.hyperparameters])
    score = float(((units - 0.4) ** 2).sum() + 0.02 * rng.standard_normal())
    return Trial(number, TrialState.COMPLETED, values, score=score, tags=tags)
