"""Weights of an execution on disk: written once, whole or not at all; read back into a model that was built anew."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras
from keras.src.backend.common import global_state

from tunerstudio.study.errors import ModelError
from tunerstudio.worker.layers import first_sentence


def weights_path(folder: Path, execution: int) -> Path:
    """The file with the best weights of one execution, and the optimizer's state."""
    return folder / f"execution_{execution}.weights.h5"


def save_weights(model: Any, folder: Path, execution: int) -> Path:
    """Write the model's weights: temporary file, fsync, rename."""
    folder.mkdir(parents=True, exist_ok=True)
    path = weights_path(folder, execution)
    # Keras insists on the ending.
    temporary = folder / f".{execution}.{os.getpid()}.weights.h5"
    try:
        model.save_weights(temporary, overwrite=True)
        _let_keras_remember()
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _let_keras_remember() -> None:
    """Halve the time of the next saving.

    Keras 3.15 finds out anew for every object which of its attributes hold no weights: it looks the answer up under
    another name than the one that it keeps it under.
    """
    for kind in ("Functional", "Layer", "Loss", "Metric", "Operation", "Optimizer", "Sequential"):
        kept = global_state.get_global_attribute(f"saving_attr_skipset_{kind}")
        if kept is not None:
            global_state.set_global_attribute(f"saving_attr_skiplist_{kind}", kept)


def load_weights(model: Any, folder: Path, execution: int) -> None:
    """Load weights (and the optimizer's state) of one execution into a model of the same architecture.

    Raises:
        ModelError: If the file is missing, damaged or of another network.
    """
    path = weights_path(folder, execution)
    if not path.exists():
        raise ModelError(f"The weights {path} are not there any more: run the trial again.")
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and not optimizer.built:
        # Otherwise Keras cannot place the saved state, and says so at length.
        optimizer.build(model.trainable_variables)
    try:
        model.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        raise ModelError(f"The weights in {path} do not fit the network: {first_sentence(error)}") from error


def load_parent(model: Any, folder: Path, execution: int) -> None:
    """Start from a parent trial: its execution of the same index, or its first if it had fewer.

    The learning rate stays the model's own, although Keras counts it as state of the optimizer.
    """
    rate = getattr(model.optimizer, "_learning_rate", None)
    source = execution if weights_path(folder, execution).exists() else 0
    if not isinstance(rate, keras.Variable):  # a schedule, which follows from the steps done
        load_weights(model, folder, source)
        return
    own = rate.numpy()
    load_weights(model, folder, source)
    rate.assign(own)
