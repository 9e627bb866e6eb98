"""Writes `resources/catalogue/keras.json` from the installed Keras and scikit-learn.

Run `python -m tunerstudio.worker.catalogue` after an update of either; a test tells when it is needed.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from tunerstudio.locations import resources_folder
from tunerstudio.study.catalogue import ArgumentInfo, ArgumentType, Catalogue, ClassInfo
from tunerstudio.study.files import write_atomically
from tunerstudio.worker.catalogue_estimators import estimator_infos
from tunerstudio.worker.docstrings import first_sentence, google_arguments, plain_text

_SOURCE = "Help texts: Keras (Apache-2.0) and scikit-learn (BSD-3-Clause)."

_EVERYDAY = (
    "Dense",
    "Dropout",
    "BatchNormalization",
    "Conv2D",
    "MaxPooling2D",
    "Flatten",
    "GlobalAveragePooling2D",
    "LSTM",
    "Conv1D",
    "Activation",
)

_GROUPS = {
    "core": "Core",
    "activations": "Activations",
    "convolutional": "Convolution",
    "pooling": "Pooling",
    "rnn": "Recurrent",
    "attention": "Attention",
    "normalization": "Normalization",
    "regularization": "Regularization",
    "reshaping": "Reshaping",
    "merging": "Merging",
    "image_preprocessing": "Image augmentation",
    "preprocessing": "Preprocessing",
}

_NOT_LAYERS = {"InputSpec", "Layer", "Wrapper", "InputLayer"}
"""Public names of keras.layers that nobody puts into a network: base classes, and the input, which the data give."""

_UNUSABLE = {
    "Lambda": "takes a Python function: use a code model",
    "Pipeline": "holds other layers: put them into the network one by one",
    "MultiHeadAttention": "takes a query and a value: use a code model",
    "GroupQueryAttention": "takes a query and a value: use a code model",
    "Attention": "takes a query and a value: use a code model",
    "AdditiveAttention": "takes a query and a value: use a code model",
    "HashedCrossing": "takes two inputs: use a code model",
    "MaxNumBoundingBoxes": "works on bounding boxes, which a study has none of",
    "CutMix": "mixes labels too: use a code model",
    "MixUp": "mixes labels too: use a code model",
}

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


def build_catalogue() -> Catalogue:
    """The catalogue of what is installed."""
    import keras
    import sklearn

    return Catalogue(
        source=_SOURCE,
        versions={"keras": str(keras.__version__), "scikit-learn": str(sklearn.__version__)},
        layers=tuple(_layers(keras)),
        optimizers=tuple(_simple(keras.optimizers, "Optimizers", {"Optimizer", "OptimizerMap", "MultiOptimizer"})),
        losses=tuple(_tasked(_simple(keras.losses, "Losses", {"Loss"}))),
        metrics=tuple(_tasked(_simple(keras.metrics, "Metrics", {"Metric", "Mean", "Sum", "MeanMetricWrapper"}))),
        estimators=tuple(estimator_infos()),
        activations=_function_names(keras.activations),
        initializers=_class_names(keras.initializers),
        regularizers=_class_names(keras.regularizers),
        constraints=_class_names(keras.constraints),
    )


def catalogue_text(catalogue: Catalogue) -> str:
    """The file's content: stable order, defaults left out."""
    content = catalogue.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _classes(module: ModuleType) -> list[tuple[str, type, tuple[str, ...]]]:
    """(name, class, aliases) of every public class of a Keras module, each class once, under its own name."""
    public = {name: item for name, item in vars(module).items() if inspect.isclass(item) and name[0].isupper()}
    own = {name: item for name, item in public.items() if _own_name(item, name, public) == name}
    return [
        (name, item, tuple(sorted(alias for alias, other in public.items() if other is item and alias != name)))
        for name, item in sorted(own.items())
    ]


def _own_name(item: type, name: str, public: dict[str, Any]) -> str:
    return item.__name__ if public.get(item.__name__) is item else name


def _layers(keras: Any) -> Iterable[ClassInfo]:
    for name, item, aliases in _classes(keras.layers):
        if name in _NOT_LAYERS:
            continue
        info = _describe(item, name, _group(item), aliases)
        everyday = _EVERYDAY.index(name) + 1 if name in _EVERYDAY else None
        yield info.model_copy(update={"everyday": everyday, "unusable": _unusable(info)})


def _group(item: type) -> str:
    parts = item.__module__.split(".")
    return next((_GROUPS[part] for part in reversed(parts) if part in _GROUPS), "Other frameworks")


def _unusable(info: ClassInfo) -> str:
    if info.name in _UNUSABLE:
        return f"{info.name} {_UNUSABLE[info.name]}"
    if info.group == "Merging":
        return f"{info.name} joins several branches; a list of layers has one"
    if info.group == "Other frameworks":
        return f"{info.name} wraps a model of another program: use a code model"
    if info.name.endswith(("Cell", "Cells")):
        return f"{info.name} is the inside of a recurrent layer: use the layer itself"
    if any(a.required and a.name in {"layer", "cell", "cells", "layers"} for a in info.arguments):
        return f"{info.name} wraps another layer: use a code model"
    if info.name in {"StringLookup", "IntegerLookup", "TextVectorization", "Hashing"}:
        return f"{info.name} takes text or categories: the data page encodes them before the network"
    return ""


def _simple(module: ModuleType, group: str, left_out: set[str]) -> Iterable[ClassInfo]:
    for name, item, aliases in _classes(module):
        if name not in left_out:
            yield _describe(item, name, group, aliases)


_NUMBERS = {
    "ConcordanceCorrelation", "CosineSimilarity", "Huber", "LogCosh", "LogCoshError", "MeanAbsoluteError",
    "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError", "PearsonCorrelation",
    "Poisson", "R2Score", "RootMeanSquaredError",
}  # fmt: skip


def _tasked(infos: Iterable[ClassInfo]) -> Iterable[ClassInfo]:
    for info in infos:
        task: Literal["classes", "numbers"] = "numbers" if info.name in _NUMBERS else "classes"
        yield info.model_copy(update={"tasks": (task,)})


def _describe(item: type, name: str, group: str, aliases: tuple[str, ...]) -> ClassInfo:
    texts = google_arguments(item.__doc__)
    arguments = [
        _argument(parameter, texts.get(parameter.name, ""), (name, parameter.name) in _REQUIRED)
        for parameter in inspect.signature(item).parameters.values()
        if parameter.name not in _KEYWORDS
        and parameter.kind not in {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    ]
    return ClassInfo(
        name=name, group=group, help=first_sentence(item.__doc__), aliases=aliases, arguments=tuple(arguments)
    )


def _argument(parameter: inspect.Parameter, text: str, must: bool) -> ArgumentInfo:
    required = must or parameter.default is inspect.Parameter.empty
    default = None if required else _jsonable(parameter.default)
    kind, choices = _type_of(parameter.name, default, text)
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
        help=plain_text(text),
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
    if name == "dtype":
        return "text", ()
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


def _function_names(module: Any) -> tuple[str, ...]:
    """Public functions of `keras.activations` that can be named as text."""
    return tuple(
        name
        for name, item in sorted(vars(module).items())
        if inspect.isfunction(item) and name not in {"get", "serialize", "deserialize"}
    )


def _class_names(module: Any) -> tuple[str, ...]:
    """For each public class of an initializer-like module, the shortest text that Keras's own `get` takes for it."""
    names: dict[type, str] = {}
    for name, item in sorted(vars(module).items(), key=lambda pair: (len(pair[0]), pair[0])):
        if inspect.isclass(item) and item not in names and name[0].isupper():
            accepted = next((text for text in _spellings(item.__name__) if _accepts(module, text)), None)
            if accepted is not None:
                names[item] = accepted
    return tuple(sorted(names.values()))


def _spellings(name: str) -> tuple[str, str]:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower(), name.lower()


def _accepts(module: Any, text: str) -> bool:
    try:
        return type(module.get(text)).__name__ not in {"Initializer", "Regularizer", "Constraint", "type"}
    except (TypeError, ValueError, KeyError):
        return False


def main(arguments: list[str]) -> int:
    """Write the catalogue to the given path, or to where the program reads it."""
    path = Path(arguments[0]) if arguments else resources_folder() / "catalogue" / "keras.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, catalogue_text(build_catalogue()).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
