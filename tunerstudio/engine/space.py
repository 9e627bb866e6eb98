"""Asking a worker about a whole search space, with reports on the way and a way to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from multiprocessing.connection import wait
from pathlib import Path

from tunerstudio.engine.executors.base import TrialWorker
from tunerstudio.engine.preparation import (
    data_folder,
    open_in_worker,
    prepare_data,
    read_study,
    refuse_strangers_code,
    study_key,
)
from tunerstudio.protocol.space import NetworkDescription, SpaceReport
from tunerstudio.protocol.worker import (
    CheckSpace,
    CommandFailed,
    DescribeNetwork,
    NetworkDescribed,
    SpaceChecked,
    SpaceSeen,
    StopCheck,
)
from tunerstudio.study.errors import ModelError
from tunerstudio.study.hyperparameters import Scalar, SearchSpace
from tunerstudio.study.model import CodeModel
from tunerstudio.study.network import search_space

Say = Callable[[str], None]
OnReport = Callable[[SpaceReport], None]

_LOOK_EVERY_S = 0.1
"""How often a cancel is looked for."""


def check_space(
    folder: Path,
    worker: Callable[[], TrialWorker],
    say: Say,
    on_report: OnReport,
    cancel: threading.Event,
    count: int = 200,
) -> SpaceReport:
    """What can be said of the search space of the study in `folder` without training it.

    Args:
        folder: The study folder.
        worker: Gives a worker for this call alone; it has the study open afterwards.
        say: Told what is going on.
        on_report: Takes what is known so far, a few times a second.
        cancel: Once set, the check ends with what it has.
        count: Random configurations.

    Raises:
        StudyError: If the document is wrong.
        DataError: If the data cannot be used.
        ModelError: If the study has no network of blocks.
    """
    chosen = _opened(folder, worker, say)
    say("checking the search space")
    chosen.send(CheckSpace(count=count))
    asked = False
    while True:
        if cancel.is_set() and not asked:
            asked = True
            chosen.send(StopCheck())
        if not wait([chosen.connection], _LOOK_EVERY_S):
            continue
        answer = chosen.receive()
        if isinstance(answer, SpaceSeen):
            on_report(answer.report)
        elif isinstance(answer, SpaceChecked):
            return answer.report
        elif isinstance(answer, CommandFailed):
            raise ModelError(answer.message, answer.details)


def describe_network(
    folder: Path, worker: Callable[[], TrialWorker], values: Mapping[str, Scalar] | None
) -> NetworkDescription:
    """The layers of the study's network at `values` (completed by defaults) with their shapes; raises as above."""
    chosen = _opened(folder, worker, lambda text: None)
    answer = chosen.ask(DescribeNetwork(values=None if values is None else dict(values)))
    if not isinstance(answer, NetworkDescribed):
        raise ModelError(f"the worker answered {answer.type} to DescribeNetwork")
    return answer.description


def declared_space(folder: Path, worker: Callable[[], TrialWorker]) -> SearchSpace:
    """What the code of a code model declares, without the ranges that the study sets; raises as `check_space`.

    Hyperparameters that are not the code's, such as a tunable batch size, are not in it.
    """
    document = read_study(folder)
    refuse_strangers_code(folder, document)
    if not isinstance(document.model, CodeModel):
        raise ModelError("the study has no Python file")
    bare = document.model_copy(update={"model": document.model.model_copy(update={"ranges": {}})})
    others = set(search_space(bare).names())
    data = prepare_data(bare, folder)
    chosen = worker()
    chosen.wait_ready()
    found = open_in_worker(chosen, folder, bare, data_folder(folder), study_key(folder, bare, data))
    return SearchSpace(hyperparameters=tuple(h for h in found.hyperparameters if h.name not in others))


def _opened(folder: Path, worker: Callable[[], TrialWorker], say: Say) -> TrialWorker:
    """A ready worker that has the study open as it is on disk now."""
    document = read_study(folder)
    refuse_strangers_code(folder, document)
    search_space(document)  # names all that is wrong with it, before anything is read
    say("reading the data")
    data = prepare_data(document, folder)
    key = study_key(folder, document, data)
    chosen = worker()
    chosen.wait_ready()
    if chosen.study_key != key:
        open_in_worker(chosen, folder, document, data_folder(folder), key)
    return chosen
