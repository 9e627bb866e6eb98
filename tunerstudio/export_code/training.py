"""Optimizer, loss, metrics and fit as Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tunerstudio.export_code.arguments import Arguments
from tunerstudio.export_code.names import Place
from tunerstudio.export_code.text import Call, Expression, Writer, flat, quoted
from tunerstudio.study.arguments import ObjectSpec
from tunerstudio.study.catalogue import ArgumentInfo
from tunerstudio.study.data import Task
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.model import BlocksModel, Optimizer
from tunerstudio.study.search import Objective
from tunerstudio.study.tunable import AnyTunable, TuneChoice

LOSSES: dict[Task, str] = {
    "binary": "binary_crossentropy",
    "multiclass": "sparse_categorical_crossentropy",
    "regression": "mse",
}
"""Loss by task where the study says `auto`."""

ACTIVATIONS: dict[Task, str] = {"binary": "sigmoid", "multiclass": "softmax", "regression": "linear"}
"""Of the output layer."""

_METRICS: dict[Task, dict[str, str]] = {
    "binary": {
        "accuracy": 'keras.metrics.BinaryAccuracy(name="accuracy")',
        "auc": 'keras.metrics.AUC(name="auc")',
        "precision": 'keras.metrics.Precision(name="precision")',
        "recall": 'keras.metrics.Recall(name="recall")',
        "f1_score": 'keras.metrics.F1Score(threshold=0.5, name="f1_score")',
        "brier": 'keras.metrics.MeanSquaredError(name="brier")',
    },
    "multiclass": {
        "accuracy": 'keras.metrics.SparseCategoricalAccuracy(name="accuracy")',
        "top_k": 'keras.metrics.SparseTopKCategoricalAccuracy(name="top_k")',
    },
    "regression": {
        "mae": 'keras.metrics.MeanAbsoluteError(name="mae")',
        "mse": 'keras.metrics.MeanSquaredError(name="mse")',
        "rmse": 'keras.metrics.RootMeanSquaredError(name="rmse")',
        "mape": 'keras.metrics.MeanAbsolutePercentageError(name="mape")',
        "r2_score": 'keras.metrics.R2Score(name="r2_score")',
    },
}
"""Plain Keras metrics that measure what ours of the same name do; those of several classes take Keras alone too far."""

_FIRST: dict[Task, str] = {"binary": "accuracy", "multiclass": "accuracy", "regression": "mae"}


@dataclass(frozen=True)
class Measured:
    """What the exported program measures.

    Attributes:
        metrics: Python for each metric.
        objective: What its search makes best.
        note: Why that is not the study's objective, in a sentence; "" if it is.
    """

    metrics: tuple[str, ...]
    objective: Objective
    note: str = ""


def measured(document: StudyDocument, model: BlocksModel, task: Task, arguments: Arguments) -> Measured:
    """Metrics and objective."""
    known = _METRICS[task]
    found: dict[str, str] = {}
    for metric in model.metrics or (_FIRST[task],):
        if isinstance(metric, ObjectSpec):
            info = arguments.catalogue.metric(str(metric.name))
            named = arguments.keywords(metric.arguments, info, "", "metric", Place())
            found[str(metric.name)] = flat(Call(f"keras.metrics.{info.name if info else metric.name}", named=named))
        else:
            found[metric] = known.get(metric, quoted(metric))
    own = document.search.objective
    name = own.name.removeprefix("val_")
    if name in known:
        found[name] = known[name]
    if name == "loss" or name in found:
        return Measured(tuple(found.values()), own)
    note = f"Keras has no metric for {own.name} as the study measures it; this search makes the loss small instead."
    return Measured(tuple(found.values()), Objective(name="val_loss", direction="min"), note)


def optimizer_expression(optimizer: Optimizer, arguments: Arguments) -> Expression:
    """The optimizer: a call of its class, or of a helper where its name varies."""
    place = Place()
    if not isinstance(optimizer.name, TuneChoice):
        return _optimizer_call(optimizer, optimizer.name, arguments)
    writer = Writer()
    writer.add("def make_optimizer(hp):")
    writer.depth += 1
    writer.add('"""The optimizer that the hyperparameters choose."""')
    writer.assign("kind", arguments.tunable(optimizer.name, "", "optimizer", place))
    for choice in map(str, optimizer.name.choices):
        writer.add(f"if kind == {quoted(choice)}:")
        writer.depth += 1
        writer.give(_optimizer_call(optimizer, choice, arguments))
        writer.depth -= 1
    writer.add('raise ValueError(f"unknown optimizer: {kind}")')
    arguments.helpers["make_optimizer"] = writer.text()
    return Call("make_optimizer", ("hp",))


def _optimizer_call(optimizer: Optimizer, name: str, arguments: Arguments) -> Call:
    """One optimizer with the arguments that it takes."""
    info = arguments.catalogue.optimizer(name)
    taken: Mapping[str, object] = {
        key: value
        for key, value in optimizer.arguments.items()
        if info is None or not isinstance(optimizer.name, TuneChoice) or info.argument(key) is not None
    }
    named = arguments.keywords(taken, info, "", "", Place())
    named |= arguments.keywords(optimizer.when.get(name, {}), info, "", name.lower(), Place())
    return Call(f"keras.optimizers.{name}", named=named)


def loss_expression(model: BlocksModel, task: Task, arguments: Arguments) -> Expression:
    """The loss."""
    loss = model.loss
    if loss == "auto":
        return quoted(LOSSES[task])
    if isinstance(loss, str):
        one_hot = task == "multiclass" and loss.replace("_", "").lower() == "categoricalcrossentropy"
        return quoted(LOSSES[task] if one_hot else loss)
    if isinstance(loss, AnyTunable):
        return arguments.tunable(loss, "", "loss", Place())
    if not isinstance(loss.name, str) or not loss.arguments:
        return arguments.object(loss, ArgumentInfo(name="loss", type="other"), "", "loss", Place())
    info = arguments.catalogue.loss(loss.name)
    named = arguments.keywords(loss.arguments, info, "", "loss", Place())
    return Call(f"keras.losses.{info.name if info is not None else loss.name}", named=named)
