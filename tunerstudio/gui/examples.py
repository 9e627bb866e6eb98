"""The example studies that ship with the program, as the welcome page shows them."""

from __future__ import annotations

import logging
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tunerstudio.locations import resources_folder
from tunerstudio.study.files import DOCUMENT_FILE

_LOG = logging.getLogger(__name__)


class Example(BaseModel):
    """One example: what `example.toml` beside its `study.yaml` says.

    Attributes:
        folder: Where it lies; copied before it is opened.
        title: A few words.
        sentence: What it shows.
        duration: How long a search takes, in words.
        order: Less comes first.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    folder: Path
    title: str
    sentence: str = ""
    duration: str = ""
    order: int = 100


def load_examples(folder: Path | None = None) -> list[Example]:
    """All examples in `folder` (the shipped ones by default), in order; a damaged one is left out and logged."""
    place = resources_folder() / "examples" if folder is None else folder
    found = [_load(path) for path in sorted(place.glob("*/example.toml"))]
    return sorted((item for item in found if item is not None), key=lambda item: (item.order, item.title))


def _load(path: Path) -> Example | None:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        example = Example(**{**content, "folder": path.parent})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        _LOG.error("the example %s cannot be read: %s", path, error)
        return None
    return example if (path.parent / DOCUMENT_FILE).is_file() else None
