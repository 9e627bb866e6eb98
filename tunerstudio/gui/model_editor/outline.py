"""What a Python file of the user's offers, found by reading it: nothing of it is run here."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QCoreApplication


@dataclass(frozen=True)
class CodeOutline:
    """A file at a glance.

    Attributes:
        text: Its content; empty if it cannot be read.
        entries: Functions that take `hp` and subclasses of `HyperModel`, in the order of the file.
        problem: Why it cannot be used, in a sentence; empty if nothing speaks against it.
        line: 1-based line of the problem; None if it has none.
    """

    text: str = ""
    entries: tuple[str, ...] = ()
    problem: str = ""
    line: int | None = None

    def entry_problem(self, entry: str | None) -> str:
        """Why `entry` (None: the usual one) cannot be taken; empty if it can or the file is broken anyway."""
        if self.problem:
            return ""
        if entry is not None and entry not in self.entries:
            return _tr("There is no function or HyperModel called {name}.").format(name=entry)
        if entry is None and not self.entries:
            return _tr("The file has neither a function build(hp) nor a subclass of HyperModel.")
        if entry is None and "build" not in self.entries and len(self.entries) > 1:
            return _tr("Choose which one to use: {names}.").format(names=", ".join(self.entries))
        return ""


def read_outline(path: Path) -> CodeOutline:
    """Read and parse the file at `path`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return CodeOutline(problem=_tr("There is no file {path}.").format(path=path))
    except (OSError, UnicodeDecodeError) as error:
        return CodeOutline(problem=_tr("{path} cannot be read: {reason}").format(path=path, reason=error))
    return outline_of(text, path)


def outline_of(text: str, path: Path) -> CodeOutline:
    """Parse `text`, which stands in the file at `path` or will."""
    try:
        module = ast.parse(text, filename=str(path))
    except SyntaxError as error:
        sentence = _tr("Line {line} is no valid Python: {reason}.").format(line=error.lineno, reason=error.msg)
        return CodeOutline(text, problem=sentence, line=error.lineno)
    except ValueError as error:  # null bytes
        return CodeOutline(text, problem=_tr("The file is no Python text: {reason}.").format(reason=error))
    definitions = [node for node in module.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return CodeOutline(text, tuple(node.name for node in definitions if _is_entry(node)))


def _is_entry(node: ast.FunctionDef | ast.ClassDef) -> bool:
    if isinstance(node, ast.FunctionDef):
        parameters = [*node.args.posonlyargs, *node.args.args]
        required = len(parameters) - len(node.args.defaults)
        return bool(parameters) and required <= 1 and (node.name == "build" or parameters[0].arg == "hp")
    return any(ast.unparse(base).split(".")[-1] == "HyperModel" for base in node.bases)


def _tr(text: str) -> str:
    return QCoreApplication.translate("CodeOutline", text)
