"""The data of a study: where it is, how to read it, what each column means, how rows are divided."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Task = Literal["binary", "multiclass", "regression"]
ColumnKind = Literal["numeric", "categorical"]
ColumnRole = Literal["feature", "target", "ignore", "sample_weight"]
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


class Data(_Model):
    """All about the data of a study."""

    source: Source
    format: FileFormat = FileFormat()
    columns: tuple[Column, ...] = Field(default=(), description="Every column; empty: all that the file has, detected.")
    task: Task | None = Field(default=None, description="null: proposed from the target.")
    missing: Literal["median", "mean", "zero"] = Field(default="median", description="Fill for missing numbers.")
    scaling: Literal["standard", "minmax", "none"] = Field(default="standard", description="Scaling of numbers.")
    image: ImageShape | None = None
    split: Split = Split()

    @model_validator(mode="after")
    def _names_once(self) -> Data:
        seen: set[str] = set()
        for column in self.columns:
            if column.name in seen:
                raise ValueError(f"the column {column.name!r} is listed twice")
            seen.add(column.name)
        return self

    def named_with_role(self, role: ColumnRole) -> list[str]:
        """Names of the columns that have `role`, in order."""
        return [column.name for column in self.columns if column.role == role]
