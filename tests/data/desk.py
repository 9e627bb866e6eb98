"""Files made in code, and short roads to looking at them."""

from __future__ import annotations

import random
from pathlib import Path

from tunerstudio.data.inspect import inspect
from tunerstudio.protocol.preview import Finding, Preview
from tunerstudio.study.data import Data, FileFormat, FileSource


class Desk:
    """A folder with data files in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, content: str | bytes, name: str = "data.csv", encoding: str = "utf-8") -> Path:
        path = self.folder / name
        path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
        return path

    def data(self, name: str = "data.csv", **fields) -> Data:
        return Data(source=FileSource(path=name), **fields)

    def look(self, content: str | bytes | None = None, name: str = "data.csv", written="utf-8", **form) -> Preview:
        """Write `content` encoded as `written`, then inspect it with the file format `form`."""
        if content is not None:
            self.write(content, name, written)
        return inspect(self.data(name, format=FileFormat(**form)), self.folder)


def found(preview: Preview, code: str) -> list[Finding]:
    return [finding for finding in preview.findings if finding.code == code]


def only(preview: Preview, code: str) -> Finding:
    findings = found(preview, code)
    assert len(findings) == 1, [finding.message for finding in preview.findings]
    return findings[0]


def roles(preview: Preview) -> dict[str, str]:
    return {column.name: column.role for column in preview.data.columns}


def kinds(preview: Preview) -> dict[str, str]:
    return {column.name: column.kind for column in preview.data.columns}


def measurements(rows: int = 60, seed: int = 3) -> list[list[str]]:
    """Rows of two numbers, one category and a class that follows from none of them exactly."""
    dice = random.Random(seed)
    return [
        [f"{dice.gauss(5, 2):.3f}", f"{dice.gauss(50, 9):.2f}", dice.choice("rgb"), dice.choice(["yes", "no"])]
        for _ in range(rows)
    ]


HEADER = ["length", "weight", "colour", "ripe"]


def table(rows: list[list[str]], header: list[str] | None = HEADER, delimiter: str = ",", end: str = "\n") -> str:
    lines = [header, *rows] if header else rows
    return end.join(delimiter.join(line) for line in lines) + end
