"""The study document: one typed, versioned description of data, model, search and training."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tunerstudio.study.data import Data
from tunerstudio.study.model import BlocksModel, ModelSpec
from tunerstudio.study.search import Search, Training

CURRENT_VERSION = 2


class StudyDocument(BaseModel):
    """What `study.yaml` holds. Immutable: an edit makes a new document."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = CURRENT_VERSION
    name: str = Field(min_length=1, max_length=200)
    notes: str = ""
    data: Data
    model: ModelSpec = BlocksModel()
    search: Search = Search()
    training: Training = Training()
