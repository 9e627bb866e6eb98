"""One class of Keras and its arguments: types, bounds and help, from signature and docstring."""

from __future__ import annotations

import inspect
import re
from typing import Any

from tunerstudio.study.catalogue import ArgumentInfo, ArgumentType, ClassInfo
from tunerstudio.worker.docstrings import first_sentence, google_arguments, plain_text

DTYPES = ("float32", "float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16")
"""Types to offer for what a layer computes in."""

_CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("F1Score", "average"): ("micro", "macro", "weighted"),
    ("FBetaScore", "average"): ("micro", "macro", "weighted"),
    ("RandAugment", "interpolation"): ("nearest", "bilinear"),
    ("Resizing", "fill_mode"): ("constant",),
    ("STFTSpectrogram", "padding"): ("valid", "same"),
    ("STFTSpectrogram", "scaling"): ("density", "spectrum"),
    ("STFTSpectrogram", "window"): ("hann", "hamming"),
    ("AUC", "curve"): ("ROC", "PR"),
    ("AUC", "summation_method"): ("interpolation", "minoring", "majoring"),
}
"""Lists that the docstrings do not give in a readable way."""

_TYPES: dict[str, ArgumentType] = {
    "attention_axes": "shape",
    "backward_layer": "layer",
    "baseline": "float",
    "bias_axes": "text",
    "cell": "layer",
    "clipnorm": "float",
    "clipvalue": "float",
    "contrast_factor": "float",
    "decay_rate": "float",
    "equation": "text",
    "filename": "text",
    "flash_attention": "bool",
    "fill_value": "float",
    "global_clipnorm": "float",
    "gptq_unpacked_column_size": "int",
    "ignore_class": "int",
    "initial_learning_rate": "float",
    "layer": "layer",
    "log_dir": "text",
    "logit_soft_cap": "float",
    "lora_alpha": "float",
    "loss_scale_factor": "float",
    "max_value": "float",
    "mean": "float",
    "min_delta": "float",
    "output_padding": "shape",
    "precision": "float",
    "recall": "float",
    "reverse_dtype": "dtype",
    "sensitivity": "float",
    "shared_axes": "shape",
    "specificity": "float",
    "threshold": "float",
    "thresholds": "float",
    "variance": "float",
    "warmup_target": "float",
}
"""Types that neither the default nor the docstring tells, by the name of the argument."""

_HELP = {
    "data_format": "The order of the axes: channels_last is (rows, height, width, channels).",
    "seed": "Seed of the random numbers of the layer.",
    "value_range": "The least and the greatest value that the inputs can have.",
}
"""Help for arguments of which a class says nothing."""

_REQUIRED = {("CategoryEncoding", "num_tokens"), ("Discretization", "num_bins")}
"""Arguments with a default that their own constructor refuses."""

_INT_NAMES = re.compile(
    r"^(units|filters|groups|heads|seed|axis|n|height|width|depth_multiplier|input_dim|output_dim|iterations|steps"
    r"|num_\w+|\w+_dim|\w+_steps|\w+_frequency|max_tokens|max_number|output_sequence_length|min_lr|top_k|k|class_id)$"
)
_SHAPES = re.compile(r"tuple|list of \w+ int|list of int|integers? or|ints? or|Int, or|shape|Tuple", re.IGNORECASE)
_QUOTED = re.compile(r"""["'`]+([A-Za-z][\w./+-]*)["'`]+""")
_UNIT_INTERVAL = re.compile(r"between 0 and 1|in the range \[0|in `?\[0(\.0?)?, 1|Fraction", re.IGNORECASE)
_ADVANCED = re.compile(
    r"_(initializer|regularizer|constraint|frequency|factor|overwrite\w*)$|^(seed|data_format|dtype|trainable|epsilon|axis|groups"
    r"|lora_\w+|quantization_\w+|use_cudnn|unroll|stateful|go_backwards|return_state|unit_forget_bias|reset_after"
    r"|synchronized|renorm\w*|zero_output_for_mask|implementation|use_ema|ema_momentum|gradient_accumulation_steps"
    r"|reduction|ignore_class|global_clipnorm|clipvalue|clipnorm|fill_\w+|interpolation|value_range|bounding_box_format"
    r"|antialias|moving_\w+|autocast|noise_shape|sparse|dilation_rate)$"
)
_KEYWORDS = {"name", "self", "kwargs", "args"}


def describe(item: type, name: str, group: str, aliases: tuple[str, ...]) -> ClassInfo:
    """All about one class."""
    texts = _argument_texts(item)
    arguments = [
        _argument(name, parameter, texts.get(parameter.name, ""))
        for parameter in inspect.signature(item).parameters.values()
        if parameter.name not in _KEYWORDS
        and parameter.kind not in {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    ]
    return ClassInfo(
        name=name, group=group, help=first_sentence(item.__doc__), aliases=aliases, arguments=tuple(arguments)
    )


def base_arguments() -> tuple[ArgumentInfo, ...]:
    """What every layer takes besides its own arguments."""
    return (
        ArgumentInfo(
            name="trainable",
            type="bool",
            default=True,
            basic=False,
            help="Whether training changes the weights of the layer.",
        ),
        ArgumentInfo(
            name="dtype",
            type="dtype",
            nullable=True,
            choices=DTYPES,
            basic=False,
            help="Type of the computations and weights of the layer; mixed_float16 keeps the weights in float32.",
        ),
    )


def _argument_texts(item: type) -> dict[str, str]:
    """What is said of each argument, by the class or by one of Keras's own that it builds on."""
    texts: dict[str, str] = {}
    for ancestor in item.__mro__:
        if ancestor.__module__.startswith("keras"):
            for name, text in google_arguments(ancestor.__doc__).items():
                texts.setdefault(name, text)
    return texts


def _argument(owner: str, parameter: inspect.Parameter, text: str) -> ArgumentInfo:
    required = (owner, parameter.name) in _REQUIRED or parameter.default is inspect.Parameter.empty
    default = None if required else _jsonable(parameter.default)
    kind, choices = _type_of(parameter.name, default, text)
    if (owner, parameter.name) in _CHOICES:
        kind, choices = "choice", _CHOICES[owner, parameter.name]
    minimum, maximum = _bounds(parameter.name, kind, default, text)
    return ArgumentInfo(
        name=parameter.name,
        type=kind,
        required=required,
        nullable=not required and default is None,
        default=default,
        choices=choices,
        minimum=minimum,
        maximum=maximum,
        basic=required or not _ADVANCED.search(parameter.name),
        help=plain_text(text) or _HELP.get(parameter.name, ""),
    )


def _jsonable(default: object) -> Any:
    if isinstance(default, tuple | list):
        return [_jsonable(item) for item in default]
    if default is None or isinstance(default, bool | int | float | str):
        return default
    return str(getattr(default, "__name__", default))


def _type_of(name: str, default: object, text: str) -> tuple[ArgumentType, tuple[str, ...]]:
    for suffix in ("initializer", "regularizer", "constraint"):
        if name.endswith(suffix):
            return suffix, ()
    if name == "dtype":
        return "dtype", DTYPES
    if name in _TYPES and not isinstance(default, str | list):
        return _TYPES[name], DTYPES if _TYPES[name] == "dtype" else ()
    if name.endswith("activation"):
        return "activation", ()
    if isinstance(default, bool):
        return "bool", ()
    if isinstance(default, str):
        choices = _choices(default, text)
        return ("choice", choices) if len(choices) > 1 else ("text", ())
    if isinstance(default, list):
        return "shape", ()
    return _type_from_text(name, default, text)


def _type_from_text(name: str, default: object, text: str) -> tuple[ArgumentType, tuple[str, ...]]:
    start = text.lstrip("` ").lower()
    if name == "data_format":
        return "choice", ("channels_last", "channels_first")
    if name in {"kernel_size", "strides", "pool_size", "output_size", "target_shape", "dims", "size", "dilation_rate"}:
        return "shape", ()
    if isinstance(default, int):
        return ("shape", ()) if _SHAPES.search(text[:60]) else ("int", ())
    if isinstance(default, float):
        return "float", ()
    if _INT_NAMES.match(name):
        return "int", ()
    if start.startswith(("bool", "whether", "if true")):
        return "bool", ()
    if _SHAPES.search(text[:60]):
        return "shape", ()
    if start.startswith(("int", "positive int", "a positive int", "an int")) or "integer" in start[:30]:
        return "int", ()
    if start.startswith(("float", "a float", "non-negative float")) or name in {"rate", "stddev", "factor", "scale"}:
        return "float", ()
    if start.startswith(("string", "str", "name")):
        return "text", ()
    return "other", ()


def _choices(default: str, text: str) -> tuple[str, ...]:
    """The quoted words around a text default, if they read like a list of what is allowed."""
    found = [word for word in _QUOTED.findall(text) if word not in {"None", "True", "False", "x", "y"}]
    quoted = list(dict.fromkeys(word for word in found if re.search(rf"""["']{re.escape(word)}["']""", text)))
    return tuple(quoted) if default in quoted else (default, *quoted)


def _bounds(name: str, kind: ArgumentType, default: object, text: str) -> tuple[float | None, float | None]:
    if kind == "float" and (name in {"rate", "dropout", "recurrent_dropout"} or _UNIT_INTERVAL.search(text)):
        return 0.0, 1.0
    if kind == "float" and name in {"learning_rate", "stddev", "epsilon", "weight_decay", "clipnorm"}:
        return 0.0, None
    if kind == "int" and name not in {"axis", "seed", "class_id", "oov_token"}:
        return (0.0 if default == 0 else 1.0), None
    return None, None
