"""Measuring a trained network again, with the loss and metrics of its training."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tunerstudio.study.errors import ModelError
from tunerstudio.study.files import write_atomically
from tunerstudio.worker.fit_road import as_floats
from tunerstudio.worker.how_to_load import foreign_parts
from tunerstudio.worker.opened import one_hot, target_rows, wants_one_hot
from tunerstudio.worker.prepared import PreparedFolder
from tunerstudio.worker.trial import finite

MEASURES_FILE = "measures.json"
"""Loss and metrics of a saved network, beside its file: what its score was measured with."""

_ROWS_AT_ONCE = 512


@dataclass(frozen=True)
class Measures:
    """What a network is measured with.

    Attributes:
        standardised_target: Whether a regression's network predicts standardised values.
        config: `loss`, `metrics` and the like as Keras serializes them, without parts of the user's own code.
        without_loss: Whether the loss was such a part; then it is not measured.
    """

    standardised_target: bool
    config: dict[str, Any]
    without_loss: bool

    @classmethod
    def of(cls, model: Any, standardised_target: bool) -> Measures:
        """Those of a compiled model."""
        full = model.get_compile_config() or {}
        names = ("loss", "loss_weights", "metrics", "weighted_metrics")
        config = {name: full[name] for name in names if full.get(name) is not None}
        for name in ("metrics", "weighted_metrics"):
            if isinstance(config.get(name), list):
                config[name] = [metric for metric in config[name] if not foreign_parts(metric)]
        without_loss = bool(foreign_parts(config.get("loss")))
        if without_loss:
            config["loss"] = "mse"
        return cls(standardised_target, config, without_loss)

    def write(self, folder: Path) -> None:
        """Write them beside a saved model."""
        content = {
            "standardised_target": self.standardised_target,
            "without_loss": self.without_loss,
            **self.config,
        }
        write_atomically(folder / MEASURES_FILE, json.dumps(content, indent=1).encode())

    @classmethod
    def read(cls, folder: Path) -> Measures:
        """Read them from beside a saved model.

        Raises:
            ModelError: If the file is missing or damaged.
        """
        path = folder / MEASURES_FILE
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            standardised_target, without_loss = content.pop("standardised_target"), content.pop("without_loss")
        except (OSError, ValueError, KeyError, AttributeError) as error:
            raise ModelError(f"{path} cannot be read: save the model again.") from error
        return cls(bool(standardised_target), content, bool(without_loss))

    def compile(self, model: Any) -> None:
        """Compile `model` so that `evaluate` measures it with these."""
        model.compile(**keras.saving.deserialize_keras_object({"optimizer": "sgd", **self.config}, safe_mode=True))


def evaluate(
    model: Any, features: np.ndarray, rows: np.ndarray, data: PreparedFolder, standardised_target: bool
) -> dict[str, float]:
    """Metrics of a compiled model on some rows, named as in training without `val_`; empty without rows.

    Args:
        model: Compiled with the loss and metrics of the training.
        features: Of these rows.
        rows: Row numbers.
        data: Whose rows they are.
        standardised_target: Whether a regression's network predicts standardised values.
    """
    if not len(rows):
        return {}
    target = target_rows(data, rows, standardised_target)
    if data.plan.target.task != "regression" and wants_one_hot(model):
        target = one_hot(target, len(data.plan.target.classes))
    measured = model.evaluate(
        features,
        target,
        sample_weight=None if data.weights is None else np.asarray(data.weights[rows]),
        batch_size=_ROWS_AT_ONCE,
        return_dict=True,
        verbose=0,
    )
    return finite(as_floats(measured))


def from_logits(model: Any) -> bool:
    """Whether the loss of a compiled model says that the network ends without sigmoid or softmax."""
    loss = model.loss
    return isinstance(loss, keras.losses.Loss) and bool(loss.get_config().get("from_logits", False))
