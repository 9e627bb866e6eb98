"""What is worth knowing about the column to predict."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tunerstudio.data.cell_findings import sentinel
from tunerstudio.data.edits import with_task
from tunerstudio.data.facts import ColumnFacts
from tunerstudio.data.sentences import info, plural, quoted, warning
from tunerstudio.data.survey import Survey
from tunerstudio.data.targets import too_many_classes
from tunerstudio.data.values import number_text
from tunerstudio.protocol.preview import Finding, Repair

_CAP_SHARE = 0.01
_UNEVEN, _VERY_UNEVEN = 1.5, 10


def target_findings(survey: Survey) -> Iterator[Finding]:
    """Missing values, imbalance, order, cut-off amounts, and numbers that might be classes."""
    for name in survey.targets:
        facts = survey.facts.get(name)
        if facts is None or facts.distinct < 2:
            continue
        if facts.missing:
            count = round(facts.missing * survey.sample.rows / facts.rows)
            yield warning("target_missing", f'{plural(count, "row", "rows")} without "{name}": dropped.', name)
        if survey.data.task == "regression":
            yield from _amount(survey, facts)
        elif not too_many_classes(facts):
            yield from _single_rows(facts)
            yield from _numbers_as_classes(survey, facts)
            yield from _imbalance(facts)
            yield from _sorted(survey, facts)


def _amount(survey: Survey, facts: ColumnFacts) -> Iterator[Finding]:
    if facts.whole_numbers and facts.distinct <= 30:
        classes = Repair(label="Predict classes", data=with_task(survey.data, "multiclass"))
        message = f'"{facts.name}" has {facts.distinct} whole numbers: predicted as an amount.'
        yield info("number_or_classes", message, facts.name, classes)
    values, counts = np.unique(facts.values, return_counts=True)
    if len(values) < 20:
        return
    for index, side in ((len(values) - 1, "above"), (0, "below")):
        others = np.delete(counts, index)
        # Nothing sold, no rain: 0 is a real lower end. And what stands for "missing" is told elsewhere.
        natural = (side == "below" and values[index] == 0) or values[index] == sentinel(facts)
        if not natural and counts[index] >= _CAP_SHARE * counts.sum() and counts[index] > 5 * np.quantile(others, 0.99):
            value = number_text(float(values[index]))
            message = (
                f'"{facts.name}" seems to be cut off {side} at {value}: {counts[index]} rows have exactly that. '
                "The model cannot learn what lies beyond."
            )
            yield warning("capped_target", message, facts.name)


def _single_rows(facts: ColumnFacts) -> Iterator[Finding]:
    single = [name for name, count in facts.counts if count == 1]
    if single:
        verb = "has" if len(single) == 1 else "have"
        message = f'{quoted(single)} of "{facts.name}" {verb} one row only: kept for training, never tested.'
        yield warning("class_with_one_row", message, facts.name)


def _numbers_as_classes(survey: Survey, facts: ColumnFacts) -> Iterator[Finding]:
    if facts.distinct > 2 and facts.kind == "numeric":
        number = Repair(label="Predict a number", data=with_task(survey.data, "regression"))
        message = f'The {facts.distinct} numbers of "{facts.name}" are taken as classes.'
        yield info("number_or_classes", message, facts.name, number)


def _imbalance(facts: ColumnFacts) -> Iterator[Finding]:
    most, least = facts.counts[0][1], facts.counts[-1][1]
    if most < _UNEVEN * least:
        return
    told = facts.rows - facts.missing
    shares = "/".join(f"{100 * count / told:.0f}" for _, count in facts.counts[:6])
    shares += "/..." if len(facts.counts) > 6 else ""
    if most < _VERY_UNEVEN * least:
        yield info("class_imbalance", f"Classes {shares} %.", facts.name)
        return
    message = (
        f"Classes are very uneven, {shares} %: who always says {facts.counts[0][0]!r} is right in "
        f"{100 * most / told:.0f} % of the rows. Weigh the classes, or choose another metric than accuracy."
    )
    yield warning("class_imbalance", message, facts.name)


def _sorted(survey: Survey, facts: ColumnFacts) -> Iterator[Finding]:
    codes = facts.codes[facts.codes >= 0]
    changes = int(np.count_nonzero(np.diff(codes)))
    if changes >= 2 * facts.distinct or len(codes) < 10 * facts.distinct:
        return
    if survey.data.split.method == "ordered":
        split = survey.data.split.model_copy(update={"method": "random"})
        shuffle = Repair(label="Shuffle", data=survey.data.model_copy(update={"split": split}))
        message = "Rows are sorted by class and divided in that order: some classes are never trained."
        yield warning("sorted_by_class", message, facts.name, shuffle)
    else:
        yield info("sorted_by_class", "Rows are sorted by class: shuffled before they are divided.", facts.name)
