"""What the command line prints: tables and sentences for people, or one JSON object for machines."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table


class Output:
    """Prints results to stdout; progress, warnings and errors to stderr."""

    def __init__(self, json_wanted: bool) -> None:
        """Print JSON if `json_wanted`."""
        self.json_wanted = json_wanted
        self.out = _console(stderr=False)
        self.err = _console(stderr=True)

    def result(self, content: dict[str, Any] | list[Any]) -> None:
        """The JSON result, if wanted."""
        if self.json_wanted:
            _print_json(_finite(content))

    def usage(self, text: str) -> None:
        """How a command is written, on stderr; nothing with --json."""
        if text:
            self.note(text.rstrip())

    def say(self, text: str) -> None:
        """A sentence for people, on stdout; nothing with --json."""
        if not self.json_wanted:
            self.out.print(text, markup=False)

    def note(self, text: str) -> None:
        """A sentence on what goes on, on stderr; nothing with --json."""
        if not self.json_wanted:
            self.err.print(text, markup=False, style="dim")

    def warn(self, text: str) -> None:
        """A warning, on stderr."""
        self.err.print(f"Warning: {text}", markup=False, style="yellow")

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()) -> None:
        """A table for people; columns named in `right` are right-aligned."""
        if self.json_wanted:
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in headings:
            is_number = heading in right
            table.add_column(heading, justify="right" if is_number else "left", overflow="fold", no_wrap=is_number)
        for row in rows:
            table.add_row(*(str(cell) for cell in row))
        self.out.print(table)

    def fail(self, message: str, problems: Sequence[tuple[str, str]] = (), details: str = "") -> None:
        """An error: sentences on stderr, and an object with `error` on stdout if JSON is wanted."""
        if self.json_wanted:
            content = {"error": message, "problems": [{"field": f, "message": m} for f, m in problems]}
            _print_json(content)
            return
        self.err.print(f"Error: {message}" if len(problems) < 2 else f"{len(problems)} problems:", markup=False)
        if len(problems) > 1:
            for field, text in problems:
                self.err.print(f"  {field}: {text}" if field else f"  {text}", markup=False)
        if details:
            self.err.print("Details:", markup=False, style="dim")
            self.err.print(details.rstrip(), markup=False, style="dim")


def _print_json(content: Any) -> None:
    """Plain ASCII without colours: the same for every terminal, encoding and environment."""
    sys.stdout.write(json.dumps(content, indent=2) + "\n")
    sys.stdout.flush()


def _console(stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = 200  # a file or a pipe has no width; tables should not be folded to 80 columns there
    return console


def number(value: float | None) -> str:
    """Four significant digits; exponent form from 1e4 on and below 1e-4; a dash for nothing."""
    if value is None or math.isnan(value):
        return "–"
    if value == 0 or 1e-4 <= abs(value) < 1e4:
        return f"{value:.4g}" if not float(value).is_integer() or abs(value) >= 1e4 else str(int(value))
    return f"{value:.3e}"


def score_text(score: float | None, standard_error: float | None, executions: int) -> str:
    """Such as `0.9662 ± 0.0041 (3)`."""
    if score is None:
        return "–"
    spread = "" if standard_error is None else f" ± {number(standard_error)} ({executions})"
    return f"{score:.4g}{spread}"


def duration_text(seconds: float) -> str:
    """Such as `0.3 s`, `12 s`, `4 min 5 s`, `1 h 12 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _finite(content: Any) -> Any:
    """JSON has no NaN and no infinity: null stands for them."""
    if isinstance(content, float) and not math.isfinite(content):
        return None
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    return content
