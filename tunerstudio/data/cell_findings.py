"""What is worth knowing about the cells of feature columns: words among numbers, stand-ins for "missing", holes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tunerstudio.data.edits import with_kind, with_marker
from tunerstudio.data.facts import MAX_CATEGORIES, ColumnFacts
from tunerstudio.data.sentences import LISTED, ignoring, info, plural, quoted, warning
from tunerstudio.data.survey import Survey
from tunerstudio.data.values import number_text
from tunerstudio.protocol.preview import Finding, Repair

_MANY_MISSING = 0.5
_SENTINELS = {-1.0, -9.0, -99.0, -100.0, -200.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0}


def cell_findings(survey: Survey) -> Iterator[Finding]:
    """About the features, one after the other; sentinels and holes of all of them together."""
    if survey.data.image is None:
        yield from _sentinels(survey)
        texts = {column.name for column in survey.data.columns if column.kind == "text"}
        for name in survey.features:
            facts = survey.facts.get(name)
            if facts is None:
                continue
            if facts.numbers is not None:
                yield from _odd_cells(survey, facts)
                yield from _zeros(facts)
            elif name in texts:
                yield _text(survey, name)
            elif facts.distinct > MAX_CATEGORIES:
                message = (
                    f'"{name}" has {facts.distinct} different values: the {MAX_CATEGORIES} most frequent are kept.'
                )
                yield info("many_categories", message, name, ignoring(survey.data, name))
    yield from _holes(survey)


def _text(survey: Survey, name: str) -> Finding:
    how = "its words are read in their order" if survey.data.look == "text" else "each frequent word is a feature"
    return info("text", f'"{name}" is text: {how}.', name)


def _odd_cells(survey: Survey, facts: ColumnFacts) -> Iterator[Finding]:
    numbers = facts.numbers
    if numbers is None or facts.distinct == 0:
        return
    if len(numbers.odd):
        listed = ", ".join(repr(value) for value in numbers.odd.unique().to_pylist()[:3])
        cells = "1 cell" if len(numbers.odd) == 1 else f"{len(numbers.odd)} cells"
        repair = Repair(label="Read it as categories", data=with_kind(survey.data, facts.name, "categorical"))
        message = f'{cells} of "{facts.name}" hold text among numbers ({listed}): counted as missing.'
        yield warning("text_in_numbers", message, facts.name, repair)
    if numbers.infinite:
        count = plural(numbers.infinite, "infinite value", "infinite values")
        yield warning("infinite_values", f'{count} in "{facts.name}": counted as missing.', facts.name)


def sentinel(facts: ColumnFacts) -> float | None:
    """A far-off value that returns again and again, as -200 and 9999 do where they stand for "missing"."""
    values = facts.values
    if facts.distinct < 5:
        return None
    for value in {float(values.min()), float(values.max())} & _SENTINELS:
        others = values[values != value]
        near = float(others.min() if value < others.min() else others.max())
        # The bulk of the others, not their range: one outlier must not hide the gap.
        spread = float(np.quantile(others, 0.75) - np.quantile(others, 0.25))
        often = len(values) - len(others) >= max(2, 0.001 * len(values))
        if often and abs(value - near) > max(0.5 * spread, 5.0):
            return value
    return None


def _sentinels(survey: Survey) -> Iterator[Finding]:
    columns: dict[float, list[ColumnFacts]] = {}
    for name in [*survey.features, *survey.targets]:
        facts = survey.facts.get(name)
        value = sentinel(facts) if facts is not None and facts.numbers is not None else None
        if facts is not None and value is not None:
            columns.setdefault(value, []).append(facts)
    for value, found in columns.items():
        text = number_text(value)
        names = [facts.name for facts in found]
        count = sum(int(np.sum(facts.values == value)) for facts in found)
        repair = Repair(label=f"{text} means missing", data=with_marker(survey.data, text))
        message = (
            f"{plural(count, 'cell', 'cells')} of {quoted(names)} hold {text}, far from all other values: missing?"
        )
        yield warning("sentinel", message, names[0] if len(names) == 1 else None, repair)


def _zeros(facts: ColumnFacts) -> Iterator[Finding]:
    """Zeros with a gap above them, in a column whose other values lie close together."""
    values = facts.values
    zeros = int(np.sum(values == 0))
    if zeros < 2 or facts.distinct < 16 or values.min() < 0 or zeros > 0.6 * len(values):
        return
    others = np.unique(values[values > 0])
    steps = np.diff(others[: max(10, len(others) // 2)])
    if others[0] > 5 * np.median(steps) and others[0] > 0.1 * np.median(others):
        message = (
            f'{zeros} values of "{facts.name}" are 0, while all others start at {number_text(float(others[0]))}. '
            "If they mean missing, leave these cells empty in the file."
        )
        yield warning("zeros", message, facts.name)


def _holes(survey: Survey) -> Iterator[Finding]:
    holes = []
    for name in survey.features:
        facts = survey.facts.get(name)
        if facts is None or facts.missing == 0:
            continue
        if facts.missing > _MANY_MISSING * facts.rows:
            share = f"{100 * facts.missing / facts.rows:.0f} %"
            yield warning("many_missing", f'{share} of "{name}" is missing.', name, ignoring(survey.data, name))
        else:
            holes.append(facts)
    for facts in holes[:LISTED]:
        count = round(facts.missing * survey.sample.rows / facts.rows)
        message = f'{count} missing in "{facts.name}": {_filled(survey, facts)}.'
        yield info("missing_values", message, facts.name, *_fills(survey, facts))
    if len(holes) > LISTED:
        rest = [facts.name for facts in holes[LISTED:]]
        yield info("missing_values", f"Values are missing in {quoted(rest)}, too: treated alike.")


def _filled(survey: Survey, facts: ColumnFacts) -> str:
    if facts.kind == "categorical":
        return 'taken as "unknown"'
    if survey.data.image is not None:
        return "these pixels are black"
    return "filled with 0" if survey.data.missing == "zero" else f"filled with the {survey.data.missing}"


def _fills(survey: Survey, facts: ColumnFacts) -> list[Repair]:
    if facts.kind == "categorical" or survey.data.image is not None:
        return []
    other = "mean" if survey.data.missing == "median" else "median"
    return [Repair(label=f"Fill with the {other}", data=survey.data.model_copy(update={"missing": other}))]
