"""Prepared data as a worker reads it: the plan and the arrays beside it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from tunerstudio.study.errors import DataError
from tunerstudio.study.preprocessing import (
    PLAN_FILE,
    TRAIN,
    VALIDATION,
    ArrayInput,
    CategoricalInput,
    InputPlan,
    PreparedData,
    TextInput,
)


@dataclass(frozen=True)
class TextRows:
    """A column of text on disk.

    Attributes:
        content: UTF-8 of all rows, uint8 (bytes,).
        ends: Where each row ends, int64 (rows,).
    """

    content: np.ndarray
    ends: np.ndarray

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        """Some rows as str objects, (rows, 1)."""
        numbers = np.arange(len(self.ends))[rows]
        texts = np.empty((len(numbers), 1), dtype=object)
        for place, number in enumerate(numbers):
            start = self.ends[number - 1] if number else 0
            texts[place, 0] = self.content[start : self.ends[number]].tobytes().decode()
        return texts


@dataclass(frozen=True)
class PreparedFolder:
    """A folder of prepared data.

    Attributes:
        folder: Where the arrays lie.
        plan: What they mean.
    """

    folder: Path
    plan: PreparedData

    @classmethod
    def open(cls, folder: Path) -> PreparedFolder:
        """Read the plan.

        Raises:
            DataError: If the plan is missing or unreadable.
        """
        path = folder / PLAN_FILE
        try:
            return cls(folder, PreparedData.model_validate_json(path.read_bytes()))
        except OSError as error:
            raise DataError(f"The prepared data cannot be read: {error}. Open the Data page to prepare it.") from error
        except ValidationError as error:
            raise DataError(
                f"{path} is damaged or from another version: prepare the data again on the Data page."
            ) from error

    @cached_property
    def target(self) -> np.ndarray:
        """Class numbers int64 (rows,), or standardised values float32 (rows, targets)."""
        return self._load("target")

    @cached_property
    def parts(self) -> np.ndarray:
        """Part of each row, int8 (rows,)."""
        return self._load("parts")

    @cached_property
    def weights(self) -> np.ndarray | None:
        """Sample weights float32 (rows,), or None."""
        return self._load("weights") if (self.folder / "weights.npy").exists() else None

    @cached_property
    def ends(self) -> np.ndarray:
        """Row of the source arrays that each window ends with, int64 (rows,); only with windows."""
        return self._load("ends")

    def rows(self, part: int) -> np.ndarray:
        """Row numbers of one part, in order."""
        return np.flatnonzero(self.parts == part)

    @property
    def search_rows(self) -> np.ndarray:
        """Row numbers of training and validation together, in order."""
        return np.flatnonzero((self.parts == TRAIN) | (self.parts == VALIDATION))

    def raw(self, rows: np.ndarray | slice) -> dict[str, np.ndarray]:
        """What each input of the plan takes for some rows: float32, fixed-width str or text objects by input name."""
        return {plan.name: self._raw_rows(plan, rows) for plan in self.plan.inputs}

    def _raw_rows(self, plan: InputPlan, rows: np.ndarray | slice) -> np.ndarray:
        if isinstance(plan, TextInput):
            return self._texts(plan)[rows]
        source, past = self._raw_input(plan), self.plan.past
        if not past:
            return source[rows]
        steps = np.asarray(self.ends[rows])[:, None] + np.arange(1 - past, 1)
        windows: np.ndarray = source[steps]
        return windows[..., 0] if windows.shape[-1] == 1 else windows

    def _texts(self, plan: TextInput) -> TextRows:
        number = [spec.name for spec in self.plan.inputs if isinstance(spec, TextInput)].index(plan.name)
        return TextRows(self._load(f"text_{number}", per_row=False), self._load(f"text_{number}_ends"))

    def _raw_input(self, plan: InputPlan) -> np.ndarray:
        if isinstance(plan, ArrayInput):
            return self._array
        same_file = isinstance(plan, CategoricalInput)
        before = 0
        for other in self.plan.inputs:
            if other.name == plan.name:
                break
            if not isinstance(other, ArrayInput | TextInput) and isinstance(other, CategoricalInput) == same_file:
                before += len(other.columns)
        source = self._categorical if same_file else self._numeric
        return source[:, before : before + len(plan.columns)]

    @cached_property
    def _numeric(self) -> np.ndarray:
        return self._load("numeric", per_row=not self.plan.past)

    @cached_property
    def _categorical(self) -> np.ndarray:
        return self._load("categorical", per_row=not self.plan.past)

    @cached_property
    def _array(self) -> np.ndarray:
        return self._load("array")

    def _load(self, name: str, per_row: bool = True) -> np.ndarray:
        """One file; `per_row`: it must have as many rows as were prepared."""
        path = self.folder / f"{name}.npy"
        try:
            loaded: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise DataError(f"{path} cannot be read ({error}): prepare the data again on the Data page.") from error
        if per_row and len(loaded) != self.plan.rows:
            raise DataError(
                f"{path} has {len(loaded)} rows where {self.plan.rows} were prepared: "
                "prepare the data again on the Data page."
            )
        return loaded
