"""From a data section to the arrays that workers read; see `study/preprocessing.py` for their layout."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tunerstudio.data.exclusive import exclusive
from tunerstudio.data.obstacles import obstacles
from tunerstudio.data.open import source_facts, source_fingerprint
from tunerstudio.data.plan import make_plan
from tunerstudio.data.sentences import quoted
from tunerstudio.data.sources import Report
from tunerstudio.data.survey import Survey, survey
from tunerstudio.study.data import Data
from tunerstudio.study.errors import DataError
from tunerstudio.study.preprocessing import PLAN_FILE, PreparedData

KEY_FILE = "key.json"
_LAYOUT = 1


class _Key(BaseModel):
    """What prepared data was made from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layout: int = _LAYOUT
    data: str
    size: int
    modified_ns: int
    fingerprint: str
    files: tuple[str, ...] = ()


def prepare(data: Data, folder: Path, to: Path, progress: Report | None = None) -> PreparedData:
    """Prepared data of `data` in the folder `to`; made only if what is there does not fit.

    Args:
        data: The data section; what it leaves open is detected.
        folder: The study folder, where relative paths start.
        to: Where `plan.json` and the arrays go; replaced as a whole.
        progress: Told (fraction or None, text) during long reads.

    Raises:
        DataError: If the source cannot be read or nothing can be learned from it; all reasons at once.
    """
    report = progress if progress is not None else _silent
    facts = source_facts(data, folder)
    plan = _fitting(data, folder, to, facts, report)
    if plan is not None:
        return plan
    try:
        with exclusive(to.with_name(f".{to.name}.lock")):
            # Whoever had its turn before may have made just these.
            plan = _fitting(data, folder, to, facts, report)
            return plan if plan is not None else _make(data, folder, to, facts, report)
    except OSError as error:
        raise DataError(f"The prepared data cannot be written to {to}: {error.strerror or error}.") from error


def _fitting(data: Data, folder: Path, to: Path, facts: tuple[int, int], report: Report) -> PreparedData | None:
    """What lies in `to`, if it was made from just this data."""
    there = _read(to)
    if there is not None and there[0].data == _digest(data):
        key, plan = there
        if (key.size, key.modified_ns) == facts:
            return plan
        if key.size == facts[0] and key.fingerprint == source_fingerprint(data, folder, report):
            return plan
    return None


def _silent(fraction: float | None, text: str) -> None:
    """Nobody wants to know."""


def _make(data: Data, folder: Path, to: Path, facts: tuple[int, int], report: Report) -> PreparedData:
    seen = survey(data, folder, report)
    _check(seen)
    mark = source_fingerprint(data, folder, report)
    # A preparation that nobody waits for any more may still be at work in another thread.
    temporary = to.with_name(f".{to.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        plan = make_plan(seen, mark, temporary, report)
        key = _Key(data=_digest(data), size=facts[0], modified_ns=facts[1], fingerprint=mark)
        _finish(temporary, plan, key)
        _swap(temporary, to)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return plan


def _check(seen: Survey) -> None:
    """DataError with all that stands in the way.

    A column that the study learns from must be there: without it, trials before and after would not compare.
    """
    wrong = [finding.message for finding in obstacles(seen)]
    needed = [column.name for column in seen.gone if column.role in ("feature", "sample_weight")]
    if needed:
        wrong.append(
            f"{seen.table.title} has no {quoted(needed)}, which the study uses: choose the right file, or open the "
            "Data page to go on without."
        )
    if wrong:
        raise DataError("\n".join(wrong))


def _finish(folder: Path, plan: PreparedData, key: _Key) -> None:
    """The key is written last: where it is, all is there."""
    files = tuple(sorted(path.name for path in folder.glob("*.npy")))
    (folder / PLAN_FILE).write_text(plan.model_dump_json(indent=1), encoding="utf-8")
    (folder / KEY_FILE).write_text(key.model_copy(update={"files": files}).model_dump_json(indent=1), encoding="utf-8")


def _swap(new: Path, to: Path) -> None:
    """Put `new` in the place of `to`; a crash in between leaves no prepared data rather than a mixture."""
    old = to.with_name(f".{to.name}.{os.getpid()}.{threading.get_ident()}.old")
    if to.exists():
        to.rename(old)
    try:
        new.rename(to)
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _read(to: Path) -> tuple[_Key, PreparedData] | None:
    """What lies in `to`, if it is whole and of this layout."""
    try:
        key = _Key.model_validate_json((to / KEY_FILE).read_bytes())
        plan = PreparedData.model_validate_json((to / PLAN_FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    whole = key.layout == _LAYOUT and all((to / name).is_file() for name in key.files)
    return (key, plan) if whole else None


def _digest(data: Data) -> str:
    """Equal for equal data sections, wherever the file lies: its content is told by the fingerprint."""
    content = data.model_dump(mode="json")
    content["source"].pop("path", None)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
