"""Finished searches in a file of JSON lines, so that none is run twice."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.search_quality.searches import Outcome


class Results:
    """Outcomes by key of their job.

    Args:
        path: Where they are kept; None: in memory alone.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._outcomes: dict[str, Outcome] = {}
        if path is not None and path.exists():
            self._read(path)

    def _read(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:  # a run that was killed while it wrote: that search is run again
            path.write_text(whole, encoding="utf-8")
        for line in whole.splitlines():
            key, outcome = json.loads(line)
            self._outcomes[key] = Outcome(**outcome)

    def __contains__(self, key: str) -> bool:
        return key in self._outcomes

    def __getitem__(self, key: str) -> Outcome:
        return self._outcomes[key]

    def add(self, key: str, outcome: Outcome) -> None:
        """Keep one more."""
        self._outcomes[key] = outcome
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([key, asdict(outcome)]) + "\n")
