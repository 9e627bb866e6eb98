"""Small real searches to be attacked: a dense network on the iris flowers, a few seconds long."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunerstudio.algorithms.discovery import find_algorithms
from tunerstudio.study.files import parse_document, save_document

TRIALS = 10
EPOCHS = 4

_SMALL_GRID = {"tune": "choice", "choices": [2, 4, 8, 16, 32]}


def algorithms() -> list[str]:
    """Ids of every shipped algorithm that proposes trials and can be used here."""
    return sorted(found.id for found in find_algorithms() if found.origin == "shipped" and found.usable)


def make_study(folder: Path, algorithm: str, seed: int) -> None:
    """Write a study that is run with `algorithm`; nothing in it depends on time or chance but the seed."""
    content: dict[str, Any] = {
        "name": folder.name,
        "data": {"source": {"kind": "bundled", "name": "iris"}, "task": "multiclass"},
        "model": {
            "kind": "blocks",
            "blocks": [
                {"layer": "Dense", "arguments": {"units": _SMALL_GRID, "activation": "relu"}},
                {"layer": "Dropout", "arguments": {"rate": {"tune": "float", "min": 0.0, "max": 0.5, "step": 0.1}}},
            ],
            "optimizer": {"name": "Adam", "arguments": {"learning_rate": {"tune": "choice", "choices": [0.1, 0.01]}}},
        },
        "search": {
            "objective": {"name": "val_loss", "direction": "min"},
            "algorithm": {"id": algorithm},
            "seed": seed,
            "budget": {"trials": TRIALS},
            "workers": 1,
            # A killed worker is a failed attempt: with enough retries every trial comes to its end.
            "retries": 10,
            "max_consecutive_failures": None,
            "checkpoints": {"every_s": 0.0},
        },
        "training": {"epochs": EPOCHS, "executions": 2},
    }
    save_document(parse_document(content), folder)
