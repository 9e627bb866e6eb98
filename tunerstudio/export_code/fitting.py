"""How a network is trained, as Python: what `fit` takes, and a `fit` of the HyperModel where that may vary."""

from __future__ import annotations

from collections.abc import Mapping

from tunerstudio.export_code.arguments import Arguments
from tunerstudio.export_code.names import Place
from tunerstudio.export_code.text import Call, Expression, Listing, Writer, quoted
from tunerstudio.study.data import Task
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.hyperparameters import Scalar
from tunerstudio.study.network import resolve_argument
from tunerstudio.study.search import Objective
from tunerstudio.study.tunable import AnyTunable

_PLACE = Place()

BALANCED_WEIGHTS = '''\
def balanced_weights(targets):
    """Weights by class number with which all classes count alike."""
    classes, counts = np.unique(targets, return_counts=True)
    return {int(c): len(targets) / (len(classes) * n) for c, n in zip(classes, counts)}'''


class FitCode:
    """The training of a study as Python.

    Attributes:
        helpers: Functions that it needs.
    """

    def __init__(
        self,
        document: StudyDocument,
        task: Task,
        objective: Objective,
        arguments: Arguments,
        values: Mapping[str, Scalar] | None = None,
    ) -> None:
        """Of `document`, whose data have the task `task`; with the `values` of a trial nothing varies."""
        self._document, self._objective, self._arguments = document, objective, arguments
        self._values = values
        self.helpers: list[str] = []
        self._plain, self._varying = self._callbacks()
        weight = self._field(document.training.class_weight, "class_weight")
        classes = task != "regression"
        self._balanced = classes and weight == quoted("balanced")
        self._tunable_weight = str(weight) if classes and _varies(weight) else ""
        if self._balanced or self._tunable_weight:
            self.helpers.append(BALANCED_WEIGHTS)

    def named(self) -> dict[str, Expression]:
        """Keyword arguments that do not vary."""
        named: dict[str, Expression] = {"epochs": repr(self._document.training.epochs)}
        if self._plain:
            named["callbacks"] = Listing(self._plain)
        if self._balanced:
            named["class_weight"] = "balanced_weights(y_train)"
        size = self._field(self._document.training.batch_size, "batch_size")
        if not _varies(size):
            named["batch_size"] = size
        return named

    def write_method(self, writer: Writer) -> None:
        """The method `fit` of the HyperModel, if something varies."""
        size = self._field(self._document.training.batch_size, "batch_size")
        named: dict[str, Expression] = {"batch_size": size} if _varies(size) else {}
        if not (named or self._varying or self._tunable_weight):
            return
        writer.add()
        writer.add("def fit(self, hp, model, *args, **kwargs):")
        writer.depth += 1
        if self._tunable_weight:
            writer.add(f'if {self._tunable_weight} == "balanced":')
            writer.add('    kwargs["class_weight"] = balanced_weights(args[1])')
        if self._varying:
            writer.assign("callbacks", Listing(('*kwargs.pop("callbacks", [])', *self._varying)))
            named["callbacks"] = "callbacks"
        writer.give(Call("model.fit", ("*args",), {**named, "**": "kwargs"}))
        writer.depth -= 1

    def _callbacks(self) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
        """Those that do not vary, and those that do."""
        training = self._document.training
        plain: list[Expression] = []
        varying: list[Expression] = []
        stopping, reduce = training.early_stopping, training.reduce_rate
        if stopping is not None:
            patience = self._field(stopping.patience, "patience")
            more = {"min_delta": repr(stopping.min_delta), "restore_best_weights": "True"}
            call = self._callback("EarlyStopping", {"patience": patience, **more})
            (varying if _varies(patience) else plain).append(call)
        if reduce is not None:
            numbers = {
                "patience": self._field(reduce.patience, "rate_patience"),
                "factor": self._field(reduce.factor, "rate_factor"),
            }
            call = self._callback("ReduceLROnPlateau", {**numbers, "min_delta": "0.0"})
            (varying if any(map(_varies, numbers.values())) else plain).append(call)
        return tuple(plain), tuple(varying)

    def _callback(self, name: str, named: Mapping[str, Expression]) -> Call:
        objective = self._objective
        return Call(
            f"keras.callbacks.{name}", (quoted(objective.name),), {"mode": quoted(objective.direction), **named}
        )

    def _field(self, value: object, name: str) -> Expression:
        """A field of the training: `hp.get(...)`, or what it is."""
        if isinstance(value, AnyTunable) and self._values is None:
            return self._arguments.tunable(value, "", name, _PLACE)
        plain = resolve_argument(value, name, self._values or {})
        return quoted(plain) if isinstance(plain, str) else repr(plain)


def _varies(expression: Expression) -> bool:
    return isinstance(expression, str) and expression.startswith("hp.get(")
