"""First values: what a new layer starts with, and the range that a field gets when its dice is lit."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from tunerstudio.gui.model_editor.parsing import UNSET
from tunerstudio.study.catalogue import ArgumentInfo, Catalogue, ClassInfo
from tunerstudio.study.hyperparameters import Scalar
from tunerstudio.study.model import LayerBlock
from tunerstudio.study.network import AnyTunable
from tunerstudio.study.tunable import TuneBoolean, TuneChoice, TuneFloat, TuneInt

_FIRST_VALUES: dict[str, Any] = {
    "units": 32,
    "filters": 16,
    "kernel_size": 3,
    "pool_size": 2,
    "output_size": 1,
    "rate": 0.2,
    "stddev": 0.1,
    "activation": "relu",
    "input_dim": 1000,
    "output_dim": 32,
    "n": 2,
    "factor": 0.1,
    "height_factor": 0.1,
    "width_factor": 0.1,
    "height": 32,
    "width": 32,
    "scale": 1.0,
    "target_shape": [-1],
    "dims": [1],
    "num_tokens": 10,
    "num_bins": 10,
}
"""What a required argument starts with."""

_ACTIVATE = {"Dense", "Conv1D", "Conv2D", "Conv3D", "SeparableConv1D", "SeparableConv2D"}
"""Layers that would do little without an activation."""

_USUAL = {
    "activation": ("relu", "tanh", "gelu", "silu"),
    "initializer": ("glorot_uniform", "he_normal", "lecun_normal"),
    "regularizer": ("l1", "l2"),
    "constraint": ("max_norm", "unit_norm"),
    "optimizer": ("Adam", "SGD", "RMSprop"),
}
"""By type of argument, or by its name: what is worth trying first."""

_SHORT_LIST = 6


def new_layer(info: ClassInfo) -> LayerBlock:
    """A layer of this class that can be built at once, as far as its required arguments tell."""
    arguments = {a.name: _FIRST_VALUES.get(a.name, _first_of_type(a)) for a in info.arguments if a.required}
    if info.name in _ACTIVATE:
        arguments["activation"] = "relu"
    return LayerBlock(layer=info.name, arguments=arguments)


def first_tunable(argument: ArgumentInfo, value: object, catalogue: Catalogue | None = None) -> AnyTunable:
    """A sensible range or list around `value` (UNSET: around the default)."""
    if value is UNSET or value is None:
        value = argument.default
    if argument.type == "bool":
        return TuneBoolean(default=bool(value))
    if argument.type in {"int", "shape"}:
        return _int_range(argument, value)
    if argument.type == "float":
        return _float_range(argument, value)
    names = catalogue.names(argument) if catalogue is not None else argument.choices
    return _choices(argument, value, names)


def plain_default(tunable: AnyTunable) -> Scalar:
    """What a field holds when its dice is put out."""
    return tunable.named("value").default_value()


def _first_of_type(argument: ArgumentInfo) -> Any:
    firsts: dict[str, Any] = {"int": 1, "float": 0.1, "bool": False, "shape": 1, "activation": "relu"}
    if argument.choices:
        return argument.choices[0]
    return firsts.get(argument.type, "")


def _int_range(argument: ArgumentInfo, value: object) -> TuneInt | TuneChoice:
    if isinstance(value, list):
        value = value[0] if value else None
    number = value if isinstance(value, int) else _FIRST_VALUES.get(argument.name, 2)
    number = number if isinstance(number, int) else 2
    if argument.name == "kernel_size":
        return TuneChoice(choices=(3, 5), default=number if number in {3, 5} else 3)
    if argument.name == "pool_size":
        return TuneChoice(choices=(2, 3), default=number if number in {2, 3} else 2)
    if number >= 8 and number & (number - 1) == 0:
        return TuneInt(min=number // 4, max=number * 4, step=2, sampling="log", default=number)
    least = 1 if argument.minimum is None else int(argument.minimum)
    low = max(least, number // 2)
    high = max(low + 1, number * 2)
    if argument.maximum is not None:
        high = min(high, int(argument.maximum))
    return TuneInt(min=min(low, high), max=high, default=min(max(number, low), high))


def _float_range(argument: ArgumentInfo, value: object) -> TuneFloat:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    number = float(value) if is_number else 0.0  # type: ignore[arg-type]  # checked just before
    if argument.name in {"rate", "dropout", "recurrent_dropout"}:
        return _with_default(TuneFloat(min=0.0, max=0.5, step=0.1), number)
    if argument.name == "learning_rate":
        return TuneFloat(min=1e-4, max=1e-2, sampling="log", default=min(max(number, 1e-4), 1e-2))
    if argument.minimum == 0 and argument.maximum == 1:
        return TuneFloat(min=0.0, max=1.0, default=number)
    if number > 0:
        high = number * 10 if argument.maximum is None else min(number * 10, argument.maximum)
        return TuneFloat(min=float(f"{number / 10:.6g}"), max=float(f"{high:.6g}"), sampling="log", default=number)
    if number < 0:
        return TuneFloat(min=number * 2, max=number / 2, default=number)
    return TuneFloat(min=0.0, max=1.0 if argument.maximum is None else argument.maximum, default=0.0)


def _with_default(tunable: TuneFloat, default: float) -> TuneFloat:
    try:
        return TuneFloat.model_validate({**tunable.model_dump(), "default": default})
    except ValidationError:  # the present value does not lie on the grid: the least one will do
        return tunable


def _choices(argument: ArgumentInfo, value: object, names: tuple[str, ...]) -> TuneChoice:
    present = (str(value),) if value not in (None, UNSET, "") and isinstance(value, str | int | float) else ()
    if not names:
        return TuneChoice(choices=present or ("",))
    first = _USUAL.get(argument.type) or _USUAL.get(argument.name) or names[:3]
    usual = names if len(names) <= _SHORT_LIST else tuple(name for name in first if name in names)
    choices = tuple(dict.fromkeys((*present, *usual)))
    return TuneChoice(choices=choices)
