"""The bundled examples: complete studies that anybody can run at once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from tunerstudio.locations import resources_folder
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import Problem, StudyError, suggest
from tunerstudio.study.files import load_document


@dataclass(frozen=True)
class Example:
    """One bundled example.

    Attributes:
        name: For the command line.
        title: For people.
        sentence: What it shows.
        duration: How long it takes, such as "about a minute".
        order: Place in lists.
        icon: Name of its icon, such as `ph.heartbeat`.
        folder: Holds its `study.yaml`.
    """

    name: str
    title: str
    sentence: str
    duration: str
    order: int
    icon: str
    folder: Path

    def document(self) -> StudyDocument:
        """The study."""
        return load_document(self.folder)


def find_examples() -> list[Example]:
    """All examples, in order."""
    folders = [path.parent for path in (resources_folder() / "examples").glob("*/example.toml")]
    return sorted((_read(folder) for folder in folders), key=lambda example: (example.order, example.name))


def find_example(name: str) -> Example:
    """The example called `name`; StudyError with a suggestion if there is none."""
    examples = find_examples()
    for example in examples:
        if example.name == name:
            return example
    names = [example.name for example in examples]
    hint = suggest(name, names) or f" There are {', '.join(names)}."
    raise StudyError([Problem("", f"there is no example {name!r}.{hint}")])


def _read(folder: Path) -> Example:
    content = tomllib.loads((folder / "example.toml").read_text(encoding="utf-8"))
    return Example(
        name=folder.name,
        title=content["title"],
        sentence=content["sentence"],
        duration=content["duration"],
        order=content["order"],
        icon=content["icon"],
        folder=folder,
    )
