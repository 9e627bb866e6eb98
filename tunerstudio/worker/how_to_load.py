"""Python lines that load a saved model and predict one row, for its card; they run as they stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tunerstudio.study.preprocessing import VALIDATION
from tunerstudio.worker.prepared import PreparedFolder

_LAMBDAS = {"Lambda", "__lambda__"}
"""Parts that hold Python bytecode, which Keras loads only when told that it is trusted."""

_FEW = 40
"""A row with more numbers than this is written as one repeated value."""


def network_lines(data: PreparedFolder, file: str, own: list[str], source: Path | None) -> str:
    """Lines for a `.keras` file; `own` names parts that only the user's file defines."""
    row = {name: values[0] for name, values in data.raw(data.rows(VALIDATION)[:1]).items()}
    lines = ["import keras", "import tensorflow as tf", ""]
    arguments = [f'"{file}"', f"safe_mode={not _LAMBDAS & set(own)}"]
    if own and source is not None:
        lines.insert(0, "import runpy")
        lines.append(f"# {source.name} defines parts of this model ({', '.join(own)}): run it only if you trust it.")
        lines.append(f'own = runpy.run_path("{source.name}")')
        arguments.append("custom_objects=own")
    lines.append(f"model = keras.saving.load_model({', '.join(arguments)})")
    lines.append("rows = {")
    lines.extend(f"    {name!r}: {_tensor(values)}," for name, values in row.items())
    lines.append("}")
    lines.append("prediction = model(rows)")
    target = data.plan.target
    if target.reconstructs:
        lines.append("# error: how unlike the row is to what the model knows; reconstruction: the row given back")
        lines.append('print(prediction["error"].numpy()[0, 0], prediction["reconstruction"].numpy()[0])')
    elif target.task == "regression":
        lines.extend(f"print({name!r}, prediction[{name!r}].numpy()[0, 0])" for name in target.columns)
    else:
        lines.append(f"# probability has one column per class: {', '.join(target.classes)}")
        lines.append('print(prediction["class"].numpy()[0].decode(), prediction["probability"].numpy()[0])')
    return "\n".join(lines)


def _tensor(values: np.ndarray) -> str:
    if values.dtype.kind in "UO":
        return f"tf.constant({[np.vectorize(str)(values).tolist()]!r})"
    if values.size > _FEW:
        return f"tf.fill({(1, *values.shape)!r}, {number(values.reshape(-1)[0])})"
    if values.ndim > 1:
        return f"tf.constant({[values.tolist()]!r})"
    return f"tf.constant([[{', '.join(number(value) for value in values)}]])"


def number(value: Any) -> str:
    """A float32 as Python source with its own digits: 0.1, not 0.10000000149."""
    return 'float("nan")' if np.isnan(value) else repr(float(str(value)))


def own_parts(network: Any) -> list[str]:
    """Names of layers, functions and other parts of a network that are not Keras's own."""
    if not type(network).__module__.startswith("keras."):
        return [type(network).__name__]
    return foreign_parts(network.get_config())


def foreign_parts(config: object) -> list[str]:
    """Names of what is serialized in `config` that is neither Keras's nor this program's."""
    found: dict[str, None] = {}
    for item in _described(config):
        name, root = str(item["class_name"]), str(item.get("module") or "").split(".")[0]
        if name in {"function", "Lambda", "__lambda__"}:
            found[item["config"] if isinstance(item["config"], str) else name] = None
        elif not name.startswith("__") and root not in {"keras", "tunerstudio"}:
            found[name] = None
    return list(found)


def _described(config: object) -> Iterator[dict[str, Any]]:
    """Every serialized object inside a configuration."""
    if isinstance(config, dict):
        if "class_name" in config and "config" in config:
            yield config
        for value in config.values():
            yield from _described(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from _described(value)
