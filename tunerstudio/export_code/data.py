"""The prepared data of a study as plain arrays, for programs that run without this one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tunerstudio.study.errors import DataError
from tunerstudio.study.preprocessing import (
    PLAN_FILE,
    TRAIN,
    VALIDATION,
    ArrayInput,
    CategoricalInput,
    ImageInput,
    NumericInput,
    PreparedData,
    TextInput,
)
from tunerstudio.study.words import words_of


def read_plan(folder: Path) -> PreparedData:
    """The plan of prepared data in `folder`.

    Raises:
        DataError: If there is none, or it cannot be read.
    """
    try:
        return PreparedData.model_validate_json((folder / PLAN_FILE).read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"The prepared data in {folder} cannot be read: {error}") from error


def plain_features(folder: Path, plan: PreparedData) -> np.ndarray:
    """What the network sees of every row, float32 (rows, ...); the same numbers as a worker computes."""
    parts, numeric, categorical, texts = [], 0, 0, 0
    for spec in plan.inputs:
        if isinstance(spec, ArrayInput):
            array = _load(folder, "array")
            parts.append((np.where(np.isnan(array), spec.offset, array) - spec.offset) / spec.scale)
        elif isinstance(spec, TextInput):
            parts.append(_words(folder, texts, spec))
            texts += 1
        elif isinstance(spec, CategoricalInput):
            words = _load(folder, "categorical")[:, categorical]
            categorical += 1
            parts.append(_one_hot(words, spec.vocabulary))
        else:
            columns = _load(folder, "numeric")[:, numeric : numeric + len(spec.columns)]
            numeric += len(spec.columns)
            parts.append(_numbers(columns, spec))
    if plan.past:
        steps = _load(folder, "ends")[:, None] + np.arange(1 - plan.past, 1)
        return np.concatenate(parts, axis=1).astype("float32")[steps]
    if len(parts) > 1:
        return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1).astype("float32")
    only: np.ndarray = parts[0].astype("float32")
    return only


def save_arrays(folder: Path, plan: PreparedData, features: np.ndarray, path: Path) -> None:
    """Write training and validation rows with their targets as NPZ; a regression's target stays standardised."""
    target, rows = _load(folder, "target"), _load(folder, "parts")
    if plan.target.task == "multiclass":
        target = target.astype("int64")
    else:
        target = target.astype("float32").reshape(len(target), -1)
    train, validation = rows == TRAIN, rows == VALIDATION
    np.savez_compressed(
        path,
        x_train=features[train],
        y_train=target[train],
        x_validation=features[validation],
        y_validation=target[validation],
    )


def _numbers(columns: np.ndarray, spec: NumericInput | ImageInput) -> np.ndarray:
    if isinstance(spec, ImageInput):
        filled = np.where(np.isnan(columns), 0.0, columns) / spec.shape.maximum
        return filled.reshape(len(columns), spec.shape.height, spec.shape.width, spec.shape.channels)
    fill, offset, scale = (np.asarray(one, "float32") for one in (spec.fill, spec.offset, spec.scale))
    scaled: np.ndarray = (np.where(np.isnan(columns), fill, columns) - offset) / scale
    return scaled


def _words(folder: Path, number: int, spec: TextInput) -> np.ndarray:
    """Word numbers in order, filled up with 0; or for each known word whether it occurs."""
    content, ends = _load(folder, f"text_{number}"), _load(folder, f"text_{number}_ends")
    first = 2 if spec.length is not None else 1  # without a length there is no place for "nothing"
    places = {word: place for place, word in enumerate(spec.vocabulary, first)}
    encoded = np.zeros((len(ends), spec.length or len(spec.vocabulary) + 1), "float32")
    for row, end in enumerate(ends):
        text = content[ends[row - 1] if row else 0 : end].tobytes().decode()
        numbers = [places.get(word, first - 1) for word in words_of(text)]
        if spec.length is None:
            encoded[row, numbers] = 1.0
        else:
            encoded[row, : len(numbers)] = numbers[: spec.length]
    return encoded


def _one_hot(words: np.ndarray, vocabulary: tuple[str, ...]) -> np.ndarray:
    """One place per word, and one in front for anything else."""
    places = {word: index + 1 for index, word in enumerate(vocabulary)}
    numbers = np.array([places.get(str(word), 0) for word in words])
    encoded: np.ndarray = np.eye(len(vocabulary) + 1, dtype="float32")[numbers]
    return encoded


def _load(folder: Path, name: str) -> np.ndarray:
    try:
        loaded: np.ndarray = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{folder / name}.npy cannot be read ({error}): prepare the data again.") from error
    return loaded
