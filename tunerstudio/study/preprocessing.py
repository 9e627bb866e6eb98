"""The plan that turns raw rows into what a network sees: fitted by the data room, executed by workers.

Its numbers come from the training part only. Workers build it from Keras layers alone, apply it once, and put the
same layers in front of every saved model, so that a saved model takes raw rows.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tunerstudio.study.data import ImageShape, Task


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NumericInput(_Model):
    """Numbers: missing ones filled, then (x - offset) / scale. One column, or a group under one input name."""

    kind: Literal["numeric"] = "numeric"
    name: str = Field(description="Name of the model's input; for one column its own name.")
    columns: tuple[str, ...] = Field(min_length=1)
    fill: tuple[float, ...] = Field(description="Per column; replaces missing values.")
    offset: tuple[float, ...] = Field(description="Per column.")
    scale: tuple[float, ...] = Field(description="Per column; never 0.")


class CategoricalInput(_Model):
    """Text: one-hot over `vocabulary`, with one more place in front for anything unknown or missing ("")."""

    kind: Literal["categorical"] = "categorical"
    name: str
    columns: tuple[str, ...] = Field(min_length=1, max_length=1)
    vocabulary: tuple[str, ...] = Field(min_length=1)


class TextInput(_Model):
    """Text, in small letters and without punctuation, divided at blanks (see `study.words`).

    With a length: the numbers of its first words, filled up with 0; 1 is an unknown word, 2 the first of `vocabulary`.
    Without: for each word of `vocabulary` whether the text holds it, with one more place in front for unknown ones.
    """

    kind: Literal["text"] = "text"
    name: str
    columns: tuple[str, ...] = Field(min_length=1, max_length=1)
    vocabulary: tuple[str, ...] = Field(min_length=1, description="Most frequent first.")
    length: int | None = Field(default=None, gt=0)


class ImageInput(_Model):
    """Pixels of one image per row, divided by the brightest value and given the shape (height, width, channels)."""

    kind: Literal["image"] = "image"
    name: str
    columns: tuple[str, ...] = Field(min_length=1)
    shape: ImageShape


class ArrayInput(_Model):
    """An array of any shape from an NPZ file: (x - offset) / scale with one offset and scale for all of it."""

    kind: Literal["array"] = "array"
    name: str
    shape: tuple[int, ...] = Field(description="Without the batch dimension.")
    offset: float = 0.0
    scale: float = 1.0


InputPlan = NumericInput | CategoricalInput | TextInput | ImageInput | ArrayInput


class TargetPlan(_Model):
    """What is predicted.

    For classes, `target.npy` holds class numbers (int64, shape (rows,)); for regression it holds
    (y - offset) / scale (float32, shape (rows, targets)), and metrics are reported in the user's own units. Where the
    features are reconstructed, these units are those that the network sees.
    """

    columns: tuple[str, ...] = Field(min_length=1)
    task: Task
    classes: tuple[str, ...] = Field(default=(), description="Names in order of class number.")
    offset: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    reconstructs: bool = Field(default=False, description="Whether the target is the features themselves.")

    @property
    def outputs(self) -> int:
        """Units of the output layer: 1 for binary, the number of classes, or the number of target columns."""
        if self.task == "binary":
            return 1
        return len(self.classes) if self.task == "multiclass" else len(self.columns)


class PreparedData(_Model):
    """`plan.json` in a folder of prepared data.

    Beside it lie, one row per usable row of the source, in source order:
    `numeric.npy` (rows, n) float32 with NaN for missing, the columns of all numeric and image inputs in plan order;
    `categorical.npy` (rows, c) fixed-width str, "" for missing, the columns of all categorical inputs in plan order;
    `text_<i>.npy` (bytes,) uint8 and `text_<i>_ends.npy` (rows,) int64, UTF-8 of all rows and where each row ends, for
    the i-th text input; `array.npy` for an ArrayInput; `target.npy`; `parts.npy` (rows,) int8: 0 train, 1 validation,
    2 test; `weights.npy` (rows,) float32 only if there is a sample-weight column; `source_rows.npy` (rows,) int64.

    With windows (`past` > 0), a row is a window and what it predicts: `numeric.npy` and `categorical.npy` hold the rows
    of the source, of which window r sees the `past` ones that end with row `ends.npy`[r] (rows,) int64, oldest first;
    every input has one more axis of that length behind the batch.
    """

    inputs: tuple[InputPlan, ...] = Field(min_length=1)
    target: TargetPlan
    rows: int
    past: int = Field(default=0, ge=0, description="Rows of the source that each row sees; 0: no windows.")
    parts: tuple[int, int, int] = Field(description="Rows for training, validation and test.")
    fingerprint: str = Field(description="SHA-256 of the source file's bytes (or the bundled set's name and version).")
    source: str = Field(description="File name or bundled name, for cards.")
    notes: tuple[str, ...] = Field(default=(), description="Sentences on what was dropped or filled.")

    @property
    def word_numbers(self) -> int:
        """How many word numbers the features hold, 0 and that of unknown words included; 0 if they are no text."""
        first = self.inputs[0]
        if isinstance(first, TextInput) and first.length is not None:
            return len(first.vocabulary) + 2
        return 0


TRAIN, VALIDATION, TEST = 0, 1, 2
PLAN_FILE = "plan.json"
