"""What is worth knowing about rows that follow each other in time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tunerstudio.data.edits import as_series
from tunerstudio.data.sentences import info, warning
from tunerstudio.data.survey import Survey
from tunerstudio.data.values import is_text, trimmed
from tunerstudio.protocol.preview import Finding, Repair
from tunerstudio.study.data import Window

_ISO_DATE = r"^\d{4}-\d{2}-\d{2}([T ].*)?$"


def series_findings(survey: Survey) -> Iterator[Finding]:
    """Rows with dates can be a series; a series must be in the order of its dates."""
    dates = [name for name, facts in survey.detected.items() if facts.nature == "date"]
    for name in dates:
        ascending = _ascending(survey.sample.column(name))
        if survey.data.window is not None and ascending is False:
            message = (
                f'The rows are not in the order of "{name}": sort the file, since windows take rows as they stand.'
            )
            yield warning("window_unsorted", message, name)
        elif survey.data.window is None and ascending and survey.data.image is None:
            yield from _could_be_series(survey, name)
            return


def _could_be_series(survey: Survey, name: str) -> Iterator[Finding]:
    past = Window().past
    if survey.sample.rows < 5 * past or not survey.features:  # without features that is offered with the error
        return
    message = f'The rows are in the order of "{name}": each can be predicted from the rows before it.'
    yield info("series", message, name, Repair(label=f"Predict from {past} rows before", data=as_series(survey.data)))


def _ascending(cells: Any) -> bool | None:
    """Whether dates never go back; None where their text cannot be compared."""
    if is_text(cells):
        text = trimmed(cells)
        told = text.filter(pc.not_equal(text, ""))
        if not pc.all(pc.match_substring_regex(told, _ISO_DATE)).as_py():
            return None
    elif pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type):
        told = cells.drop_null()
    else:
        return None
    if len(told) < 2:
        return None
    return bool(pc.all(pc.greater_equal(told.slice(1), told.slice(0, len(told) - 1))).as_py())
