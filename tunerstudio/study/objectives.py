"""Which objectives go with which task and model, each with its direction."""

from __future__ import annotations

from tunerstudio.study.data import Task
from tunerstudio.study.model import EstimatorModel, ModelSpec
from tunerstudio.study.search import KNOWN_DIRECTIONS, Direction, Objective

_CLASSES = ("val_accuracy", "val_loss", "val_auc", "val_f1_score", "val_precision", "val_recall")
_NUMBERS = ("val_mae", "val_loss", "val_mse", "val_rmse", "val_r2_score", "val_mape")

_LOSSES: dict[Task, tuple[str, ...]] = {
    "binary": ("binary_crossentropy", "binary_focal_crossentropy", "mse", "hinge", "squared_hinge"),
    "multiclass": ("sparse_categorical_crossentropy",),
    "regression": ("mse", "mae", "huber", "log_cosh", "mape"),
}


def known_losses(task: Task | None) -> tuple[str, ...]:
    """Losses to offer for a network with this task, the usual one first; empty if the task is unknown."""
    return _LOSSES[task] if task is not None else ()


def known_metrics(task: Task | None) -> tuple[str, ...]:
    """Metrics to offer for a network with this task, the usual one first; empty if the task is unknown."""
    if task is None:
        return ()
    names = _NUMBERS if task == "regression" else _CLASSES
    extra = {"binary": ("val_brier",), "multiclass": ("val_top_k", "val_brier"), "regression": ()}[task]
    return tuple(name.removeprefix("val_") for name in (*names, *extra) if name != "val_loss")


def usual_objective(task: Task | None) -> Objective:
    """What most people want: accuracy for classes, mean absolute error for numbers, loss if the task is unknown."""
    if task is None:
        return Objective(name="val_loss", direction="min")
    if task == "regression":
        return Objective(name="val_mae", direction="min")
    return Objective(name="val_accuracy", direction="max")


def known_objectives(task: Task | None, model: ModelSpec) -> list[Objective]:
    """Objectives to offer for `task` and `model`, the usual one first. A code model may log others as well."""
    if task is None:
        names: tuple[str, ...] = ("val_loss",)
    else:
        names = _NUMBERS if task == "regression" else _CLASSES
    if isinstance(model, EstimatorModel):
        names = tuple(name for name in names if name != "val_loss")
    return [Objective(name=name, direction=usual_direction(name) or "min") for name in names]


def usual_direction(name: str) -> Direction | None:
    """Which way the metric `name` gets better, with or without `val_`; None if it is not one we know."""
    return KNOWN_DIRECTIONS.get(name.removeprefix("val_"))


def objective_problem(objective: Objective, task: Task | None, model: ModelSpec) -> str:
    """Why `objective` cannot work here, in a sentence; empty if it can as far as is known without training."""
    bare = objective.name.removeprefix("val_")
    known = {name.removeprefix("val_") for name in (*_CLASSES, *_NUMBERS)}
    suits = {o.name.removeprefix("val_") for o in known_objectives(task, model)}
    if task is not None and bare in known and bare not in suits:
        kind = "numbers" if task == "regression" else "classes"
        if isinstance(model, EstimatorModel) and bare == "loss":
            return "an estimator logs no loss: choose another objective"
        return f"{objective.name} does not go with predicting {kind}: choose {usual_objective(task).name}"
    usual = usual_direction(objective.name)
    if usual is not None and usual != objective.direction:
        better = "greater" if usual == "max" else "less"
        return f"{objective.name} is better when {better}: the direction should be {usual}"
    return ""
