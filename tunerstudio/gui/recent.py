"""Recent studies: what the welcome page shows at once, without opening a single study."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.formats import format_score
from tunerstudio.locations import user_data_folder
from tunerstudio.store.lock import is_in_use
from tunerstudio.store.reader import has_history
from tunerstudio.study.data import FileSource
from tunerstudio.study.files import DOCUMENT_FILE, write_atomically
from tunerstudio.study.trials import TrialState, ranked

_LOG = logging.getLogger(__name__)
_FILE = "recent.json"
_MOST = 20


class RecentStudy(BaseModel):
    """One study as it was when it was last open."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    folder: str
    name: str
    data: str = ""
    trials: int = 0
    best: str = ""
    objective: str = ""
    state: str = ""
    at: float = 0.0


_LIST: TypeAdapter[list[RecentStudy]] = TypeAdapter(list[RecentStudy])


def load_recent() -> list[RecentStudy]:
    """Studies whose folder still exists, the latest first."""
    path = user_data_folder() / _FILE
    try:
        entries = _LIST.validate_json(path.read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValidationError) as error:
        _LOG.info("the list of recent studies is reset: %s cannot be read: %s", path, error)
        return []
    return [_as_it_is_now(entry) for entry in entries if (Path(entry.folder) / DOCUMENT_FILE).is_file()]


def _as_it_is_now(entry: RecentStudy) -> RecentStudy:
    """A search goes on, or begins, without the window that wrote the entry."""
    if is_in_use(Path(entry.folder)):
        return entry.model_copy(update={"state": "running"})
    return entry.model_copy(update={"state": "stopped"}) if entry.state == "running" else entry


def remember(study: StudyContext) -> None:
    """Put `study` first in the list.

    A study that was just opened has not read its history yet: then what was known of its trials stays.
    """
    known = load_recent()
    entry = _entry(study)
    earlier = next((other for other in known if other.folder == entry.folder), None)
    if earlier is not None and not study.trials and has_history(study.folder):
        entry = entry.model_copy(update={name: getattr(earlier, name) for name in ("trials", "best", "state")})
    _save([entry, *(other for other in known if other.folder != entry.folder)])


def forget(folder: str) -> None:
    """Take a study out of the list; its folder stays."""
    _save([entry for entry in load_recent() if entry.folder != folder])


def _save(entries: list[RecentStudy]) -> None:
    folder = user_data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / _FILE, _LIST.dump_json(entries[:_MOST], indent=1))


def _entry(study: StudyContext) -> RecentStudy:
    document = study.document
    source = document.data.source
    objective = document.search.objective
    finished = [trial for trial in study.trials.values() if trial.state.is_finished]
    best = next(iter(ranked(finished, objective.direction)), None)
    scored = best is not None and best.state is TrialState.COMPLETED
    return RecentStudy(
        folder=str(study.folder),
        name=document.name,
        data=Path(source.path).name if isinstance(source, FileSource) else source.name,
        trials=len(finished),
        best=format_score(best.score) if best is not None and scored else "",
        objective=objective.name,
        state=_state(study, len(finished)),
        at=time.time(),
    )


def _state(study: StudyContext, finished: int) -> str:
    if study.search_state != "idle":
        return "running"
    if not finished:
        return "new"
    return "complete" if finished >= study.document.search.budget.trials else "stopped"
