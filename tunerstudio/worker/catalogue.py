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
from tunerstudio.study.catalogue import ArgumentInfo, Catalogue, ClassInfo
from tunerstudio.study.files import write_atomically
from tunerstudio.worker.catalogue_arguments import base_arguments, describe
from tunerstudio.worker.catalogue_estimators import estimator_infos
from tunerstudio.worker.objects import CONSTANT, SELF_ATTENTION

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
    "Discretization": "learns its bins from the data before the training: use a code model",
    "HashedCrossing": "takes two inputs: use a code model",
    "MaxNumBoundingBoxes": "works on bounding boxes, which a study has none of",
    "RandomCrop": "gives another size in prediction than in training: use CenterCrop, or RandomTranslation",
    "RandomShear": "cannot be read back from a saved model: use RandomRotation or RandomPerspective",
    "CutMix": "mixes labels too: use a code model",
    "MixUp": "mixes labels too: use a code model",
}


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
        objects={
            "initializer": tuple(_simple(keras.initializers, "Initializers", {"Initializer"})),
            "regularizer": tuple(_simple(keras.regularizers, "Regularizers", {"Regularizer"})),
            "constraint": tuple(_simple(keras.constraints, "Constraints", {"Constraint"})),
            "schedule": tuple(_schedules(keras)),
        },
        callbacks=tuple(_callbacks(keras)),
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
        info = describe(item, name, _group(item), aliases)
        everyday = _EVERYDAY.index(name) + 1 if name in _EVERYDAY else None
        if name in SELF_ATTENTION:
            info = info.model_copy(update={"help": f"{info.help} Here it attends to its own input."})
        given = {argument.name for argument in info.arguments}
        passes_on = any(p.kind is p.VAR_KEYWORD for p in inspect.signature(item).parameters.values())
        more = base_arguments() if passes_on else ()
        arguments = (*info.arguments, *(argument for argument in more if argument.name not in given))
        yield info.model_copy(update={"everyday": everyday, "unusable": _unusable(info), "arguments": arguments})


def _group(item: type) -> str:
    parts = item.__module__.split(".")
    return next((_GROUPS[part] for part in reversed(parts) if part in _GROUPS), "Other frameworks")


def _unusable(info: ClassInfo) -> str:
    if info.name in _UNUSABLE:
        return f"{info.name} {_UNUSABLE[info.name]}"
    if info.group == "Merging":
        if info.name in {"Dot", "Subtract"}:
            return f"{info.name} joins exactly two branches in a fixed order: use a code model"
        return f"{info.name} joins several branches: put a Parallel block here, which merges by {info.name.lower()}"
    if info.group == "Other frameworks":
        return f"{info.name} wraps a model of another program: use a code model"
    if info.name == "StackedRNNCells":
        return "StackedRNNCells holds a list of cells: put several recurrent layers one behind the other"
    if info.name.endswith("Cell"):
        return f"{info.name} is the inside of a recurrent layer: use it as the cell of RNN, or the layer itself"
    if info.name in {"StringLookup", "IntegerLookup", "TextVectorization", "Hashing"}:
        return f"{info.name} takes text or categories: the data page encodes them before the network"
    return ""


def _simple(module: ModuleType, group: str, left_out: set[str]) -> Iterable[ClassInfo]:
    for name, item, aliases in _classes(module):
        if name not in left_out:
            yield describe(item, name, group, aliases)


def _schedules(keras: Any) -> Iterable[ClassInfo]:
    rate = ArgumentInfo(
        name="initial_learning_rate", type="float", required=True, minimum=0.0, help="The learning rate."
    )
    yield ClassInfo(name=CONSTANT, group="Schedules", help="The learning rate stays as it is.", arguments=(rate,))
    yield from _simple(keras.optimizers.schedules, "Schedules", {"LearningRateSchedule"})


_CALLBACKS_UNUSABLE = {
    "BackupAndRestore": "is not needed: a search goes on where it stopped",
    "CallbackList": "is Keras's own list of callbacks",
    "History": "is not needed: every epoch of every trial is kept",
    "LambdaCallback": "takes Python functions: use a code model",
    "LearningRateScheduler": "takes a Python function: give the optimizer's learning rate a schedule",
    "ModelCheckpoint": "is not needed: the best weights of every execution are kept",
    "OrbaxCheckpoint": "is not needed: the best weights of every execution are kept",
    "ProgbarLogger": "prints to a terminal: the Run page shows the progress",
    "RemoteMonitor": "sends data to a server",
}


def _callbacks(keras: Any) -> Iterable[ClassInfo]:
    for info in _simple(keras.callbacks, "Callbacks", {"Callback"}):
        why = _CALLBACKS_UNUSABLE.get(info.name, "")
        yield info.model_copy(update={"unusable": f"{info.name} {why}" if why else ""})


_NUMBERS = {
    "ConcordanceCorrelation", "CosineSimilarity", "Huber", "LogCosh", "LogCoshError", "MeanAbsoluteError",
    "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError", "PearsonCorrelation",
    "Poisson", "R2Score", "RootMeanSquaredError",
}  # fmt: skip


def _tasked(infos: Iterable[ClassInfo]) -> Iterable[ClassInfo]:
    for info in infos:
        task: Literal["classes", "numbers"] = "numbers" if info.name in _NUMBERS else "classes"
        yield info.model_copy(update={"tasks": (task,)})


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
