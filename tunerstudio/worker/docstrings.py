"""Reading Keras's and scikit-learn's docstrings: the first sentence, and what is said of each argument."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

_GOOGLE_ENTRY = re.compile(r"^ {4}\*{0,2}(\w+)(?:\s*\([^)]*\))?:\s*(.*)$")
_NUMPY_ENTRY = re.compile(r"^(\w+(?:, \w+)*)\s*:\s*(.*)$")
_LINK = re.compile(r"\[([^\]]+)\]\s*\([^)]*\)")
_ROLE = re.compile(r":\w+:`~?(?:[^`<]*<)?([^`>]+)>?`")
_VERSION_NOTE = re.compile(r"\.\. version(?:added|changed)::.*?(?=\.\. |$)|\.\. deprecated::.*?(?=\.\. |$)", re.DOTALL)


def first_sentence(docstring: str | None) -> str:
    """The first sentence of a docstring on one line, with a full stop; "" without one."""
    paragraph = inspect.cleandoc(docstring or "").split("\n\n")[0]
    text = plain_text(paragraph)
    end = re.search(r"(?<!e\.g)(?<!i\.e)(?<!a\.k\.a)(?<!\bal)\.(?=\s|$)", text)
    return (text[: end.start()] if end else text).rstrip(".") + "." if text else ""


def plain_text(text: str) -> str:
    """`text` on one line, without link targets, roles, quotes of code and notes on versions."""
    text = _VERSION_NOTE.sub("", text)
    text = _ROLE.sub(lambda match: match.group(1).rsplit(".", 1)[-1], _LINK.sub(r"\1", text))
    return " ".join(text.replace("`", "").replace("**", "").split())


def google_arguments(docstring: str | None) -> dict[str, str]:
    """Raw text by argument name, from the `Args:` section of a Google-style docstring."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in _section(inspect.cleandoc(docstring or "").splitlines()):
        entry = _GOOGLE_ENTRY.match(line)
        if entry:
            name = entry.group(1)
            found[name] = [entry.group(2)]
        elif name:
            found[name].append(line.strip())
    return {key: "\n".join(lines).strip() for key, lines in found.items()}


def _section(lines: list[str]) -> Iterator[str]:
    """The lines of the `Args:` section, without the indentation of its heading."""
    margin: int | None = None
    for line in lines:
        heading = re.match(r"^( *)(Args|Arguments):\s*$", line)
        if heading:
            margin = len(heading.group(1))
        elif margin is not None and line.strip() and len(line) - len(line.lstrip()) <= margin:
            return
        elif margin is not None:
            yield line[margin:]


def numpy_arguments(docstring: str | None) -> dict[str, str]:
    """Raw text by argument name, from the `Parameters` section of a NumPy-style docstring."""
    lines = inspect.cleandoc(docstring or "").splitlines()
    if "Parameters" not in lines:
        return {}
    found: dict[str, list[str]] = {}
    names: list[str] = []
    start = lines.index("Parameters") + 2
    for line, following in zip(lines[start:], [*lines[start + 1 :], ""], strict=True):
        if re.match(r"^-{3,}$", following):
            break
        entry = _NUMPY_ENTRY.match(line)
        if entry:
            names = entry.group(1).split(", ")
            found.update({name: [] for name in names})
        else:
            for name in names:
                found[name].append(line.strip())
    return {key: "\n".join(text).strip() for key, text in found.items()}
