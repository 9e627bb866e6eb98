"""Which column to predict, and what kind of question that is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tunerstudio.data.facts import ColumnFacts
from tunerstudio.study.data import Task

# In order of strength; compared in lower case, without anything but letters and digits.
_TARGET_NAMES = (
    "target", "survived", "label", "labels", "class", "classlabel", "classes", "outcome", "output", "diagnosis",
    "species", "variety", "churn", "churned", "exited", "defaulted", "saleprice", "medianhousevalue", "medv", "price",
    "mpg", "cnt", "rings", "charges", "quality", "salary", "income", "sales", "demand", "attrition", "fraud", "isfraud",
    "spam", "sentiment", "category", "objetivo", "clase", "etiqueta", "precio", "digit", "response", "result", "y",
    "score",
    "tmed", "tavg", "tmean", "temperature", "temp", "count", "total", "rating", "grade", "type",
)  # fmt: skip
_TIME_WORDS = re.compile(
    r"(hora|hour|hr|time|date|day|month|mnth|year|yr|week|weekday|minute|second|fecha|dia|día|mes|año|ano|anio)"
    r"([._ ]?\d+)?",
    re.IGNORECASE,
)
_FEW = 10
_BALANCED_FEW = 100
_MOST_CLASSES = 1000


def propose_target(columns: Sequence[ColumnFacts]) -> str | None:
    """The column to predict: one that is called so, else the last that can be; None if no column can."""
    able = [column for column in columns if can_be_target(column)]
    if not able:
        return None
    by_name = {_plain(column.name): column.name for column in able}
    last = able[-1]
    if _plain(last.name) in _TARGET_NAMES:
        return last.name
    for name in _TARGET_NAMES:
        if name in by_name:
            return by_name[name]
    likely = [column for column in able if not _TIME_WORDS.fullmatch(column.name.strip())]
    return (likely or able)[-1].name


def can_be_target(column: ColumnFacts) -> bool:
    """Whether the column varies and is neither an id nor a date nor free text."""
    return column.nature == "plain" and column.distinct >= 2 and column.missing < column.rows


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def propose_task(target: ColumnFacts, wanted_classes: bool = False) -> Task:
    """binary, multiclass or regression, by the values of the target.

    Args:
        target: The target column.
        wanted_classes: Whether the user has said that its numbers are names of classes.
    """
    if target.distinct == 2:
        return "binary"
    if target.kind == "categorical" or wanted_classes:
        return "multiclass"
    return "multiclass" if numbers_are_names(target) else "regression"


def numbers_are_names(target: ColumnFacts) -> bool:
    """Whole numbers, few, close together, each of them often: rather names of classes than amounts."""
    if not target.whole_numbers or target.distinct > _BALANCED_FEW:
        return False
    values = target.values
    told = len(values)
    if told < 3 * target.distinct:
        return False
    if target.distinct > _FEW:
        # Amounts pile up in the middle; classes of this number are as a rule about equally frequent.
        counts = [count for _, count in target.counts]
        return min(counts) >= 0.3 * max(counts)
    span = float(values.max() - values.min()) + 1
    return target.distinct <= 5 or span <= 2 * target.distinct


def too_many_classes(target: ColumnFacts) -> bool:
    """Whether the target cannot be classes: nearly every row has its own, or there are over a thousand."""
    told = target.rows - target.missing
    return target.distinct > _MOST_CLASSES or (target.distinct > 10 and target.distinct > 0.5 * told)
