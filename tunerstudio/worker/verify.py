"""Proof that a saved model is what its score says: loaded from its file alone, fed raw rows, measured again."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tunerstudio.study.errors import ModelError
from tunerstudio.study.preprocessing import VALIDATION
from tunerstudio.worker.evaluation import Measures, evaluate
from tunerstudio.worker.hypermodels import NETWORK
from tunerstudio.worker.layers import first_sentence
from tunerstudio.worker.prepared import PreparedFolder
from tunerstudio.worker.preprocessing import FRONT, to_tensors

_ROWS_AT_ONCE = 4096


def verify_network(path: Path, data: PreparedFolder) -> dict[str, float]:
    """Load a `.keras` file in safe mode and measure it on the raw rows of the validation part.

    Raises:
        ModelError: If the file cannot be loaded without the user's own code, or is damaged.
    """
    model = load_safely(path)
    network, front = _part(model, NETWORK, path), _part(model, FRONT, path)
    measures = Measures.read(path.parent)
    measures.compile(network)
    rows = data.rows(VALIDATION)
    blocks = [
        np.asarray(front(to_tensors(data.raw(rows[start : start + _ROWS_AT_ONCE]))))
        for start in range(0, len(rows), _ROWS_AT_ONCE)
    ]
    measured = evaluate(network, np.concatenate(blocks), rows, data, measures.standardised_target)
    return {name: value for name, value in measured.items() if name != "loss" or not measures.without_loss}


def load_safely(path: Path) -> Any:
    """A saved model, loaded without running any code of a user's.

    Raises:
        ModelError: If that is not possible.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="When providing `inputs` as a dict", category=UserWarning)
            return keras.saving.load_model(path, safe_mode=True, compile=False)
    except (ValueError, TypeError, ImportError, OSError) as error:
        raise ModelError(
            f"{path.name} cannot be loaded without the code that made it: {first_sentence(error)}"
        ) from error


def _part(model: Any, name: str, path: Path) -> Any:
    try:
        return model.get_layer(name)
    except ValueError as error:
        raise ModelError(f"{path.name} was not saved by this program: it has no part called {name!r}.") from error
