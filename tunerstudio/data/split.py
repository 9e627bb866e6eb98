"""Which rows train, which validate, which test."""

from __future__ import annotations

import numpy as np

from tunerstudio.study.data import Split
from tunerstudio.study.errors import DataError
from tunerstudio.study.preprocessing import TEST, TRAIN, VALIDATION


def part_sizes(rows: int, split: Split) -> tuple[int, int, int]:
    """Rows for training, validation and test.

    Raises:
        DataError: If there are too few rows to divide.
    """
    validation = max(1, round(rows * split.validation))
    test = max(1, round(rows * split.test)) if split.test > 0 else 0
    training = rows - validation - test
    if training < 1:
        raise DataError(f"{rows} usable row{'s' if rows != 1 else ''} cannot be divided into parts: more are needed.")
    return training, validation, test


def assign_parts(rows: int, split: Split, classes: np.ndarray | None, given: np.ndarray | None = None) -> np.ndarray:
    """The part of each row, the same for the same arguments.

    Args:
        rows: Number of usable rows.
        split: Fractions, method and seed.
        classes: Class number of each row for a stratified split; None for regression.
        given: What the source itself says: 0 train, 1 validation, 2 test; only its training rows are divided further.

    Returns:
        int8, (rows,): 0 train, 1 validation, 2 test.

    Raises:
        DataError: If there are too few rows to divide.
    """
    if given is not None:
        return _within_given(rows, split, classes, given)
    training, validation, test = part_sizes(rows, split)
    parts = np.full(rows, TRAIN, dtype=np.int8)
    if split.method == "ordered":
        parts[training : training + validation] = VALIDATION
        parts[training + validation :] = TEST
        return parts
    order = np.random.default_rng(split.seed).permutation(rows)
    if split.stratified and classes is not None and _deal(parts, order, classes, {VALIDATION: validation, TEST: test}):
        return parts
    parts[order[:validation]] = VALIDATION
    parts[order[validation : validation + test]] = TEST
    return parts


def _within_given(rows: int, split: Split, classes: np.ndarray | None, given: np.ndarray) -> np.ndarray:
    """Keep the source's own parts; take the validation part from its training rows if it has none."""
    parts = given.astype(np.int8, copy=True)
    training = np.flatnonzero(parts == TRAIN)
    if not np.any(parts == VALIDATION):
        share = min(0.9, split.validation * rows / max(1, len(training)))
        inner = split.model_copy(update={"validation": share, "test": 0.0})
        parts[training] = assign_parts(len(training), inner, None if classes is None else classes[training])
    if not np.any(parts == TRAIN) or not np.any(parts == VALIDATION):
        raise DataError("The file's own parts leave no rows for training or validation: more are needed.")
    return parts


def _deal(parts: np.ndarray, order: np.ndarray, classes: np.ndarray, sizes: dict[int, int]) -> bool:
    """Deal rows to the parts so that each keeps the shares of the classes; False if that is not possible.

    Classes with fewer rows than there are parts stay in training.
    """
    counts = np.bincount(classes)
    wanted = 1 + sum(size > 0 for size in sizes.values())
    room = np.where(counts >= wanted, counts - 1, 0)
    by_class = np.split(order[np.argsort(classes[order], kind="stable")], np.cumsum(counts)[:-1])
    taken = np.zeros(len(counts), dtype=np.int64)
    for part, size in sizes.items():
        quota = _quotas(np.where(counts >= wanted, counts, 0), size, len(classes), room)
        for number, rows in enumerate(by_class):
            parts[rows[taken[number] : taken[number] + quota[number]]] = part
        taken += quota
        room -= quota
    return not (sizes[VALIDATION] and not np.any(parts == VALIDATION))


def _quotas(counts: np.ndarray, size: int, rows: int, room: np.ndarray) -> np.ndarray:
    """Rows per class for a part of `size` rows: proportional, whole, by the largest remainders, at most `room`."""
    ideal = counts * (size / rows)
    quota: np.ndarray = np.minimum(np.floor(ideal).astype(np.int64), room)
    short = min(size, round(float(ideal.sum()))) - int(quota.sum())
    for number in np.argsort(-(ideal - np.floor(ideal)), kind="stable"):
        if short <= 0:
            break
        if quota[number] < room[number]:
            quota[number] += 1
            short -= 1
    return quota
