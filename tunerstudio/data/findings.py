"""What is worth knowing about data that can be used: sentences, most important first, with repairs."""

from __future__ import annotations

from collections.abc import Iterator

from tunerstudio.data.cell_findings import cell_findings
from tunerstudio.data.edits import as_text, in_order, with_roles
from tunerstudio.data.relations import duplicate_rows, leaks
from tunerstudio.data.sentences import LISTED, info, plural, quoted, warning
from tunerstudio.data.series_findings import series_findings
from tunerstudio.data.survey import Survey
from tunerstudio.data.target_findings import target_findings
from tunerstudio.protocol.preview import Finding, Repair

_ORDER = {"error": 0, "warning": 1, "info": 2}


def findings(survey: Survey) -> list[Finding]:
    """Everything worth knowing, warnings first; obstacles are not among them."""
    found = [
        *_changed(survey),
        *_source(survey),
        *leaks(survey),
        *target_findings(survey),
        *_ignored(survey),
        *cell_findings(survey),
        *series_findings(survey),
        *duplicate_rows(survey),
        *_proposals(survey),
    ]
    return sorted(found, key=lambda finding: _ORDER[finding.severity])


def _changed(survey: Survey) -> Iterator[Finding]:
    gone = [column.name for column in survey.gone if column.role != "target"]
    if gone:
        yield warning("columns_gone", f"The file has no {quoted(gone)} any more: the study goes on without.")
    if survey.added and survey.gone:
        yield warning("columns_added", f"The file has new columns: {quoted(survey.added)}. Look at their roles.")


def _source(survey: Survey) -> Iterator[Finding]:
    table = survey.table
    for note in table.notes:
        yield info("reader", note)
    if table.left_out.rows:
        rows = plural(table.left_out.rows, "row has", "rows have")
        message = f"{rows} another number of cells than the table and cannot be used: {table.left_out.first}."
        yield warning("ragged_rows", message)
    if not survey.sample.whole:
        message = f"What is shown comes from one row in {survey.sample.stride}; training takes all rows."
        yield info("sampled", message)
    if len(table.sheets) > 1:
        sheet = survey.data.format.sheet
        message = f'The workbook has {len(table.sheets)} sheets; "{sheet}" is used.'
        others = [_sheet(survey, other) for other in table.sheets if other != sheet]
        yield info("sheets", message, None, *others[:LISTED])


def _sheet(survey: Survey, sheet: str) -> Repair:
    """Another sheet is another table: its columns are looked at anew."""
    form = survey.data.format.model_copy(update={"sheet": sheet, "header": None, "missing": None})
    fresh = {"columns": (), "task": None, "image": None, "format": form}
    return Repair(label=f'Use "{sheet}"', data=survey.data.model_copy(update=fresh))


def _ignored(survey: Survey) -> Iterator[Finding]:
    """Columns that are ignored for a reason; one sentence per reason where there are many."""
    reasons: dict[str, list[str]] = {}
    for column in survey.data.columns:
        if column.role == "ignore" and column.name in survey.detected:
            reasons.setdefault(survey.detected[column.name].nature, []).append(column.name)
    for name in reasons.get("id", []):
        use = Repair(label="Use it anyway", data=with_roles(survey.data, [name], "feature"))
        yield warning("id_column", f'"{name}" identifies rows: ignored.', name, use)
    for nature, code, what in (
        ("constant", "constant_column", "the same value everywhere"),
        ("empty", "empty_column", "no values"),
        ("nested", "nested_column", "lists or bytes instead of single values"),
    ):
        names = reasons.get(nature, [])
        if names:
            verb = "has" if len(names) == 1 else "have"
            yield info(code, f"{quoted(names)} {verb} {what}: ignored.", names[0] if len(names) == 1 else None)
    yield from _dates(survey, reasons.get("date", []), reasons.get("time", []))
    for name in reasons.get("free_text", []):
        facts = survey.detected[name]
        use = Repair(label="Learn from its words", data=as_text(survey.data, name))
        message = f'"{name}" is free text ({facts.distinct} different in {facts.rows - facts.missing} rows): ignored.'
        yield info("free_text", message, name, use)


def _dates(survey: Survey, dates: list[str], times: list[str]) -> Iterator[Finding]:
    names = [*dates, *times]
    if not names:
        return
    what = "dates" if not times else "times" if not dates else "dates and times"
    message = f"{quoted(names)} {'holds' if len(names) == 1 else 'hold'} {what}, which are not learned from: ignored."
    repairs = []
    if dates and survey.data.split.method == "random":
        message += " If later rows are to be predicted from earlier ones, divide the rows in their order."
        repairs.append(Repair(label="Divide in order", data=in_order(survey.data)))
    yield info("date_column", message, names[0] if len(names) == 1 else None, *repairs)


def _proposals(survey: Survey) -> Iterator[Finding]:
    image = survey.data.image
    if survey.proposed_image and image is not None:
        channels = f" x {image.channels}" if image.channels > 1 else ""
        off = Repair(label="Not pictures", data=survey.data.model_copy(update={"image": None}))
        message = f"The columns are taken as the pixels of pictures, {image.height} x {image.width}{channels}."
        yield info("image", message, None, off)
    if survey.table.given_parts is not None:
        yield info("given_parts", "The file itself says which rows are for training and testing: kept.")
