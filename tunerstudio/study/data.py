"""The data of a study: where it is, how to read it, what each column means, how rows are divided."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Task = Literal["binary", "multiclass", "regression"]
ColumnKind = Literal["numeric", "categorical", "text"]
ColumnRole = Literal["feature", "target", "ignore", "sample_weight"]
Look = Literal["table", "image", "text", "series", "itself"]
"""What the network sees of a row: numbers side by side, a picture, words in order, steps in time; `itself`: numbers or
a picture that are to be given back."""

BundledName = Literal["breast_cancer", "digits", "wine", "iris", "diabetes"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileSource(_Model):
    """A file of the user's."""

    kind: Literal["file"] = "file"
    path: str = Field(min_length=1, description="Absolute, or relative to the study folder.")


class BundledSource(_Model):
    """One of scikit-learn's bundled data sets."""

    kind: Literal["bundled"] = "bundled"
    name: BundledName


Source = Annotated[FileSource | BundledSource, Field(discriminator="kind")]


class FileFormat(_Model):
    """How to read a file. A field left out (null) is detected; detection writes what it found here."""

    encoding: str | None = Field(default=None, description="Such as utf-8, utf-8-sig, latin-1, utf-16.")
    delimiter: str | None = Field(default=None, description="One character, such as a comma, ; or a tab.")
    decimal: Literal[".", ","] | None = None
    header: bool | None = Field(default=None, description="Whether the first row holds the column names.")
    quoting: bool | None = Field(default=None, description='Whether "..." groups text; off for stray quotes.')
    missing: tuple[str, ...] | None = Field(default=None, description='Cells that mean "missing", such as ?.')
    sheet: str | None = Field(default=None, description="Sheet of an Excel file.")


class Column(_Model):
    """What one column means. Names are unique: readers number duplicates (`Hora`, `Hora.2`)."""

    name: str
    role: ColumnRole = "feature"
    kind: ColumnKind = "numeric"


class Split(_Model):
    """How rows are divided. Fractions are of all rows; the rest is for training."""

    validation: float = Field(default=0.2, gt=0, lt=1)
    test: float = Field(default=0.15, ge=0, lt=1, description="0: no test part.")
    seed: int = Field(default=0, ge=0)
    method: Literal["random", "ordered"] = Field(
        default="random",
        description="random: shuffled, stratified if asked. ordered: first rows train, then validation, last test "
        "(Keras's validation_split meaning; right for series).",
    )
    stratified: bool = Field(default=True, description="Keep the shares of the classes in each part where possible.")

    @model_validator(mode="after")
    def _leaves_training(self) -> Split:
        if self.validation + self.test >= 0.95:
            raise ValueError("validation and test together must leave at least 5 % of the rows for training")
        return self


class ImageShape(_Model):
    """The feature columns are the pixels of one image, row by row, channels last."""

    height: int = Field(gt=0)
    width: int = Field(gt=0)
    channels: int = Field(default=1, gt=0)
    maximum: float = Field(default=255.0, gt=0, description="Brightest value; pixels are divided by it.")


class TextOptions(_Model):
    """How columns of the kind `text` become numbers.

    A text that is the only feature is a sequence of word numbers (0: nothing, 1: an unknown word); beside other
    features it is told by which of its most frequent 1,000 words it holds.
    """

    words: int = Field(default=5000, ge=10, le=100_000, description="Word numbers, those for nothing and unknown too.")
    length: int | None = Field(
        default=None, ge=1, le=5000, description="Words per text; null: enough for 95 % of the training rows."
    )


class Window(_Model):
    """The rows follow each other in time: each prediction is made from the rows before it."""

    past: int = Field(default=24, ge=2, le=5000, description="Rows that a prediction is made from.")
    horizon: int = Field(
        default=1, ge=0, le=5000, description="Rows from the last known one to the predicted one; 0: the same row."
    )
    own_past: bool = Field(
        default=True, description="Whether past values of the target are known, too; never with a horizon of 0."
    )

    @property
    def knows_target(self) -> bool:
        """Whether past values of the target go into the model."""
        return self.own_past and self.horizon > 0


class Data(_Model):
    """All about the data of a study."""

    source: Source
    format: FileFormat = FileFormat()
    columns: tuple[Column, ...] = Field(default=(), description="Every column; empty: all that the file has, detected.")
    task: Task | None = Field(default=None, description="null: proposed from the target.")
    missing: Literal["median", "mean", "zero"] = Field(default="median", description="Fill for missing numbers.")
    scaling: Literal["standard", "minmax", "none"] = Field(default="standard", description="Scaling of numbers.")
    image: ImageShape | None = None
    text: TextOptions = TextOptions()
    window: Window | None = Field(default=None, description="For series; null: every row stands for itself.")
    reconstruct: bool = Field(
        default=False,
        description="An autoencoder: predicts the features themselves, scaled as the network sees them.",
    )
    split: Split = Split()

    @model_validator(mode="after")
    def _names_once(self) -> Data:
        seen: set[str] = set()
        for column in self.columns:
            if column.name in seen:
                raise ValueError(f"the column {column.name!r} is listed twice")
            seen.add(column.name)
        return self

    @property
    def look(self) -> Look:
        """What the network sees of a row."""
        if self.reconstruct:
            return "itself"
        if self.image is not None:
            return "image"
        if self.window is not None:
            return "series"
        kinds = [column.kind for column in self.columns if column.role == "feature"]
        return "text" if kinds == ["text"] else "table"

    def to_reconstruct(self) -> Data:
        """The features predicted themselves; what was the target or is no number is ignored."""
        words = {column.name for column in self.columns if column.role == "feature" and column.kind != "numeric"}
        gone = words | set(self.named_with_role("target"))
        columns = tuple(
            column.model_copy(update={"role": "ignore"}) if column.name in gone else column for column in self.columns
        )
        return self.model_copy(update={"columns": columns, "reconstruct": True, "window": None, "task": "regression"})

    def named_with_role(self, role: ColumnRole) -> list[str]:
        """Names of the columns that have `role`, in order."""
        return [column.name for column in self.columns if column.role == role]
