"""What the data service finds in a file: shown on the Data page, printed by `tunerstudio new`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tunerstudio.study.data import ColumnKind, ColumnRole, Data


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ColumnProfile(_Model):
    """One column at a glance."""

    name: str
    kind: ColumnKind = Field(description="Detected kind.")
    role: ColumnRole = Field(description="Proposed role.")
    distinct: int
    missing: int
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    histogram: tuple[int, ...] = Field(default=(), description="Up to 20 bins over [minimum, maximum], or top values.")
    top: tuple[tuple[str, int], ...] = Field(default=(), description="Up to 20 most frequent values with counts.")


class Repair(_Model):
    """A button beside a finding: what it says, and the data document after it."""

    label: str
    data: Data


class Finding(_Model):
    """Something worth knowing, in a sentence."""

    severity: Literal["info", "warning", "error"]
    code: str = Field(description="Stable name, such as id_column, missing_values, single_class.")
    message: str
    column: str | None = None
    repairs: tuple[Repair, ...] = ()


class Preview(_Model):
    """All that is known about a data source under the current document."""

    data: Data = Field(description="The document's data section, completed: format, columns, task.")
    title: str = Field(description="File name or bundled title.")
    summary: str = Field(description="Such as `699 rows x 11 columns; UTF-8, comma, no header, missing ?`.")
    rows: int
    columns: tuple[ColumnProfile, ...]
    sample: tuple[tuple[str, ...], ...] = Field(description="The first rows as text, in column order.")
    classes: tuple[tuple[str, int], ...] = Field(default=(), description="Target classes with counts.")
    parts: tuple[int, int, int] = Field(default=(0, 0, 0), description="Rows for training, validation, test.")
    findings: tuple[Finding, ...] = ()
    fingerprint: str = ""
