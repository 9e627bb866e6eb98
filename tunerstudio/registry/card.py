"""Model cards: all that is needed to trust a saved model, for machines (JSON) and for people (a page)."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tunerstudio.registry.card_page import card_page
from tunerstudio.study.data import Task
from tunerstudio.study.files import write_atomically
from tunerstudio.study.hyperparameters import Values
from tunerstudio.study.search import Objective

CARD_FILE = "card.json"
PAGE_FILE = "card.html"
CARD_VERSION = 1


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ExecutionCard(_Model):
    """One fit of the trial."""

    seed: int
    score: float
    best_epoch: int | None
    epochs: int
    saved: bool = Field(description="Whether these are the weights in the file.")


class DataCard(_Model):
    """What it was trained on."""

    source: str
    fingerprint: str = Field(description="SHA-256 of the file.")
    task: Task
    target: tuple[str, ...]
    inputs: tuple[str, ...] = Field(description="Columns that the model takes.")
    classes: tuple[str, ...] = ()
    rows: tuple[int, int, int] = Field(description="Training, validation and test rows.")


class SearchCard(_Model):
    """The search that found it."""

    algorithm: str
    seed: int
    trials: int
    completed: int
    failed: int
    hyperparameters: int
    rank: int = Field(description="1: the best score.")


class ModelCard(_Model):
    """Everything about one saved model."""

    version: int = CARD_VERSION
    study: str
    trial: int
    file: str = Field(description="The model file beside the card.")
    saved_at: str = Field(description="ISO 8601, UTC.")
    objective: Objective
    score: float = Field(description="Mean over the executions.")
    standard_error: float | None
    saved_score: float = Field(description="Of the execution in the file; for a refitted model the mean of the folds.")
    refitted: bool = Field(default=False, description="Fitted anew on training and validation rows after the folds.")
    verified: bool = Field(description="The file alone, loaded in a fresh process, gave saved_score again.")
    executions: tuple[ExecutionCard, ...]
    validation: dict[str, float]
    test: dict[str, float] = Field(description="On rows that neither training nor selection saw; empty without any.")
    values: Values
    parameters: int | None
    duration_s: float
    data: DataCard
    search: SearchCard
    versions: dict[str, str]
    device: str = ""
    summary: str = Field(default="", description="The network, as text.")
    how_to_load: str = Field(default="", description="Python that loads it and predicts.")


def write_card(folder: Path, card: ModelCard) -> None:
    """Write `card.json` and `card.html` into the folder of a saved model."""
    write_atomically(folder / CARD_FILE, card.model_dump_json(indent=2).encode())
    write_atomically(folder / PAGE_FILE, card_page(card.model_dump()).encode())


def read_card(folder: Path) -> ModelCard:
    """The card in `folder`; OSError if there is none, pydantic's ValidationError if it is damaged."""
    return ModelCard.model_validate_json((folder / CARD_FILE).read_bytes())
