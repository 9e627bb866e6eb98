"""What ties columns and rows to each other: features that give the target away, rows that repeat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tunerstudio.data.facts import ColumnFacts
from tunerstudio.data.sentences import ignoring, info, plural, warning
from tunerstudio.data.survey import Survey
from tunerstudio.protocol.preview import Finding

_ROWS = 20_000
_MANY_REPEATED = 5
_LINEAR_FEATURES = 200
_EXACT = 1e-9
_NEARLY = 1e-4


def leaks(survey: Survey) -> Iterator[Finding]:
    """Features that tell the target by themselves, or together."""
    if len(survey.targets) != 1 or survey.targets[0] not in survey.facts or survey.data.image is not None:
        return
    target = survey.facts[survey.targets[0]]
    features = [survey.facts[name] for name in survey.features if name in survey.facts]
    if target.distinct < 2 or not features:
        return
    telling = [facts for facts in features if _tells(facts, target)]
    for facts in telling:
        message = f'"{facts.name}" tells "{target.name}" exactly: would you know it when you predict?'
        yield _leak(survey, message, [facts.name])
    rest = [facts for facts in features if facts not in telling and facts.numbers is not None]
    if survey.data.task == "regression" and target.numbers is not None and not telling:
        yield from _together(survey, target, rest)


def _leak(survey: Survey, message: str, names: Sequence[str]) -> Finding:
    return warning("leak", message, names[0] if len(names) == 1 else None, ignoring(survey.data, *names))


def _tells(facts: ColumnFacts, target: ColumnFacts) -> bool:
    """Whether every value of the feature goes with one value of the target, often enough to be no accident."""
    both = (facts.codes >= 0) & (target.codes >= 0)
    codes, wanted = facts.codes[both], target.codes[both]
    if len(codes) < 20 or facts.distinct < 2:
        return False
    pairs = len(np.unique(codes * (int(wanted.max()) + 1) + wanted))
    values = len(np.unique(codes))
    if pairs != values:
        return False
    # Values that hardly repeat tell any target; then only the same values in other clothes are suspicious.
    if values <= 0.2 * len(codes):
        return True
    return len(np.unique(wanted)) == values and _same_order(facts, target, both)


def _same_order(facts: ColumnFacts, target: ColumnFacts, rows: np.ndarray) -> bool:
    """Whether the two are the same up to shift and scale."""
    if facts.numbers is None or target.numbers is None:
        return facts.numbers is None and target.numbers is None
    a, b = facts.numbers.values[rows], target.numbers.values[rows]
    return abs(float(np.corrcoef(a, b)[0, 1])) > 1 - _EXACT


def _together(survey: Survey, target: ColumnFacts, features: Sequence[ColumnFacts]) -> Iterator[Finding]:
    """Whether the target is a sum of multiples of features, as a total is of its parts."""
    columns = [facts for facts in features if facts.numbers is not None and facts.distinct > 2]
    if not columns or len(columns) > _LINEAR_FEATURES or target.numbers is None:
        return
    matrix = np.stack([facts.numbers.values for facts in columns if facts.numbers is not None], axis=1)[:_ROWS]
    wanted = target.numbers.values[:_ROWS]
    whole = ~(np.isnan(matrix).any(axis=1) | np.isnan(wanted))
    matrix, wanted = matrix[whole], wanted[whole]
    if len(wanted) < 5 * len(columns) + 20 or wanted.std() == 0:
        return
    rest, weights = _fit(matrix, wanted)
    if rest > _NEARLY:
        return
    chosen = _fewest(matrix, wanted, weights, max(_EXACT, 2 * rest))
    names = [columns[index].name for index in chosen]
    listed = " and ".join(f'"{name}"' for name in names) if len(names) <= 3 else f"{len(names)} columns"
    how = "exactly" if rest <= _EXACT else "almost exactly"
    verb = "gives" if len(names) == 1 else "together give"
    yield _leak(survey, f'{listed} {verb} "{target.name}" {how}: would you know them when you predict?', names)


def _fit(matrix: np.ndarray, wanted: np.ndarray) -> tuple[float, np.ndarray]:
    """Share of the target's variance that a linear fit leaves, and the weight of each standardised column."""
    spread = matrix.std(axis=0)
    scaled = (matrix - matrix.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    centred = (wanted - wanted.mean()) / wanted.std()
    weights, *_ = np.linalg.lstsq(scaled, centred, rcond=None)
    return float(np.mean((centred - scaled @ weights) ** 2)), np.abs(weights)


def _fewest(matrix: np.ndarray, wanted: np.ndarray, weights: np.ndarray, allowed: float) -> list[int]:
    """The fewest columns, by weight, that leave no more than `allowed`."""
    order = np.argsort(-weights, kind="stable")
    for count in range(1, len(order) + 1):
        rest, _ = _fit(matrix[:, order[:count]], wanted)
        if rest <= allowed:
            return sorted(int(index) for index in order[:count])
    return sorted(int(index) for index in order)


def duplicate_rows(survey: Survey) -> Iterator[Finding]:
    """Rows that are the same in every column, but for one that numbers the rows."""
    if survey.table.array is not None:
        return
    used = [name for name, facts in survey.detected.items() if not _numbers_rows(facts)]
    digests = np.zeros(survey.sample.batch.num_rows, dtype=np.uint64)
    for name in used:
        digests = _mixed(digests, survey.detected[name].codes)
    repeated = len(digests) - len(np.unique(digests))
    if repeated < max(1, 0.001 * len(digests)):
        return
    share = 100 * repeated / len(digests)
    count = round(repeated * survey.sample.rows / len(digests))
    message = f"{plural(count, 'row repeats', 'rows repeat')} another row ({share:.1f} %)"
    if share >= _MANY_REPEATED:
        yield warning("duplicate_rows", f"{message}: the same row may be trained and tested, so scores may flatter.")
    else:
        yield info("duplicate_rows", f"{message}.")


def _numbers_rows(facts: ColumnFacts) -> bool:
    return facts.nature == "id" and facts.distinct == facts.rows


def _mixed(digests: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """One step of a 64-bit mixing hash per row."""
    mixed = (digests ^ codes.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
    return mixed ^ (mixed >> np.uint64(29))
