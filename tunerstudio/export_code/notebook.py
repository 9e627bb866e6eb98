"""A program as a Jupyter notebook."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import Any

from tunerstudio.export_code.programs import Program


def notebook_text(program: Program) -> str:
    """The `.ipynb` file: a title, then one cell each for imports, model, data and run."""
    cells: list[dict[str, Any]] = [_cell("markdown", f"# {program.title}")]
    for title, code in (
        ("", program.imports),
        ("## The model", program.helpers),
        ("## The data\n\nPrepared as the study prepared them.", dedent(program.data)),
        ("## Run", dedent(program.run)),
    ):
        if title:
            cells.append(_cell("markdown", title))
        cells.append(_cell("code", code))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    content = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, text: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": text.splitlines(keepends=True)}
    return cell if kind == "markdown" else {**cell, "execution_count": None, "outputs": []}
