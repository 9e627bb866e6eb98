"""Commands for a study that nobody runs; those for a running one are posted to its session."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from tunerstudio.engine.journal import Journal
from tunerstudio.engine.trial_edits import RefusedError, TrialEdits
from tunerstudio.protocol.control import ControlCommand, SetBudget
from tunerstudio.store.lock import is_in_use, last_owner
from tunerstudio.store.mailbox import post
from tunerstudio.store.reader import StudyReader, has_history
from tunerstudio.store.schema import StoreError
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import StudyError, TunerStudioError
from tunerstudio.study.files import load_document, save_document
from tunerstudio.study.hyperparameters import SearchSpace
from tunerstudio.study.model import CodeModel, EstimatorModel
from tunerstudio.study.network import search_space
from tunerstudio.study.search import Budget
from tunerstudio.study.trials import SessionState

SPACE = "space"
"""Key of the note in the store that holds the search space of the last session, as JSON."""


PATIENCE_S = 2.0
"""How long to wait for a program that holds the study without searching: it writes something down, and is gone."""

_POLL_S = 0.02


@dataclass(frozen=True)
class Carried:
    """What became of a command.

    Attributes:
        id: Of its line in the table `commands`.
        outcome: "" it was done, otherwise why not; None: a running session has yet to answer.
    """

    id: str
    outcome: str | None


def carry_out(folder: Path, command: ControlCommand) -> Carried:
    """Do `command` on the study in `folder`, or post it to the session that runs it.

    Raises:
        StudyError: If there is no study.
        StoreError: If nothing can be written there.
    """
    document = load_document(folder)
    until = time.monotonic() + PATIENCE_S
    while True:
        if not is_in_use(folder):
            try:
                return _carried_out(folder, document, command)
            except StoreError:
                if not is_in_use(folder):
                    raise
        elif _is_searched(folder) or time.monotonic() > until:
            return Carried(post(folder, command), None)
        time.sleep(_POLL_S)


def _is_searched(folder: Path) -> bool:
    """Whether the program that holds the study runs a session, which looks into the mailbox."""
    if not has_history(folder):
        return False
    try:
        with StudyReader(folder) as reader:
            session = reader.session()
    except StoreError:
        return False
    owner = last_owner(folder)
    if session is None or owner is None:
        return False
    return session.state is not SessionState.ENDED and session.pid == owner.pid


def _carried_out(folder: Path, document: StudyDocument, command: ControlCommand) -> Carried:
    identity = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"
    with StudyWriter(folder) as writer:
        writer.requeue_interrupted()
        journal = Journal(writer)
        is_estimator = isinstance(document.model, EstimatorModel)
        epochs = 1 if is_estimator else document.training.epochs
        edits = TrialEdits(journal, document.search, lambda: _space(writer, document), epochs)
        try:
            if isinstance(command, SetBudget):
                write_budget(folder, command.budget)
            elif not edits.carry_out(command):
                raise RefusedError("no search runs on this study: run it first")
            outcome = ""
        except (RefusedError, StudyError) as error:
            outcome = str(error)
        writer.put_command(identity, command.model_dump_json(), outcome)
    return Carried(identity, outcome)


def write_budget(folder: Path, budget: Budget) -> StudyDocument:
    """Replace the budget in `study.yaml`, and nothing else; the document as it is then."""
    document = load_document(folder)
    search = document.search.model_copy(update={"budget": budget})
    document = document.model_copy(update={"search": search})
    save_document(document, folder)
    return document


def _space(writer: StudyWriter, document: StudyDocument) -> SearchSpace:
    """The search space without a worker: of blocks and estimators by the document, of code as last seen."""
    if not isinstance(document.model, CodeModel):
        return search_space(document)
    stored = writer.meta(SPACE)
    if stored is None:
        raise RefusedError("the hyperparameters of this code are not known before its first search")
    try:
        return SearchSpace.model_validate(json.loads(stored))
    except (ValueError, ValidationError) as error:
        raise TunerStudioError(f"the stored search space cannot be read: {error}") from error
