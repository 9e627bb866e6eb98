"""The settings of a search as fields: what each is called, where it stands in the document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication

from tunerstudio.gui.model_editor.parsing import UNSET
from tunerstudio.study.catalogue import ArgumentInfo
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.search import CLASS_WEIGHTS, EarlyStopping, RateReduction, Training


@dataclass(frozen=True)
class Setting:
    """One field of a form.

    Attributes:
        argument: Type, bounds and help; its name is also the key of the row.
        label: In front of the field.
        unit: Behind it; may be empty.
        field: Path in the document, as problems name it.
        tunable: Whether the search may vary it.
        read: The document's value; UNSET where nothing is given.
        write: The document with another value (UNSET: with the default).
    """

    argument: ArgumentInfo
    label: str
    unit: str
    field: str
    read: Callable[[StudyDocument], Any]
    write: Callable[[StudyDocument, Any], StudyDocument]
    tunable: bool = False
    check: Callable[[Any], str] = lambda value: ""


def training_settings() -> list[Setting]:
    """How one trial is trained."""
    epochs = info("epochs", "int", _tr("Most passes over the training rows in one execution."), minimum=1)
    batch = info("batch_size", "int", _tr("Rows per step; small is slower and often better."), minimum=1)
    executions = info(
        "executions", "int", _tr("Fits per trial, each with its own seed; the score is their mean."), minimum=1
    )
    patience = info(
        "patience",
        "int",
        _tr("An execution ends when the objective has not improved for so many epochs; empty: never."),
        minimum=1,
        optional=True,
    )
    least = ArgumentInfo(
        name="min_delta",
        type="float",
        default=0.0,
        minimum=0,
        basic=False,
        help=_tr("Smaller changes of the objective do not count as an improvement."),
    )
    weight = ArgumentInfo(
        name="class_weight",
        type="choice",
        required=True,
        default="none",
        choices=CLASS_WEIGHTS,
        help=_tr("balanced: rare classes count more in training, so that all classes count alike."),
    )
    road = ArgumentInfo(
        name="road",
        type="choice",
        required=True,
        default="auto",
        choices=("auto", "fit"),
        basic=False,
        help=_tr("auto: the fastest way that gives what Keras's fit gives. fit: always Keras's own fit."),
    )
    return [
        _training_field(epochs, _tr("epochs")),
        _training_field(batch, _tr("batch size"), tunable=True),
        _training_field(executions, _tr("executions")),
        Setting(
            patience,
            _tr("early stopping"),
            _tr("epochs without improvement"),
            "training.early_stopping",
            lambda document: _given(document.training.early_stopping, lambda stopping: stopping.patience),
            _write_patience,
            tunable=True,
        ),
        Setting(
            least,
            _tr("least improvement"),
            "",
            "training.early_stopping.min_delta",
            lambda document: _given(document.training.early_stopping, lambda stopping: stopping.min_delta),
            _write_min_delta,
        ),
        *_rate_settings(),
        _training_field(weight, _tr("class weights"), tunable=True),
        _training_field(road, _tr("trained by")),
    ]


def _rate_settings() -> list[Setting]:
    """When the learning rate falls during the training."""
    patience = info(
        "rate_patience",
        "int",
        _tr("The learning rate falls when the objective has not improved for so many epochs; empty: never."),
        minimum=1,
        optional=True,
        basic=False,
    )
    factor = ArgumentInfo(
        name="rate_factor",
        type="float",
        default=0.5,
        minimum=0.01,
        maximum=0.99,
        basic=False,
        help=_tr("What the learning rate is multiplied by each time."),
    )
    path = "training.reduce_rate"
    return [
        Setting(
            patience,
            _tr("lower the rate after"),
            _tr("epochs without improvement"),
            f"{path}.patience",
            lambda document: _given(document.training.reduce_rate, lambda reduce: reduce.patience),
            lambda document, value: _write_rate(document, "patience", value),
            tunable=True,
        ),
        Setting(
            factor,
            _tr("multiplied by"),
            "",
            f"{path}.factor",
            lambda document: _given(document.training.reduce_rate, lambda reduce: reduce.factor),
            lambda document, value: _write_rate(document, "factor", value),
            tunable=True,
        ),
    ]


def search_settings() -> list[Setting]:
    """Seed, retries and what happens after failures."""
    seed = info("seed", "int", _tr("The same seed gives the same trials again; 0 is a seed like any other."), minimum=0)
    retries = info("retries", "int", _tr("How often a failed trial is tried again."), minimum=0, maximum=10)
    failures = info(
        "max_consecutive_failures",
        "int",
        _tr("The search pauses after so many failed trials in a row; empty: never."),
        minimum=1,
        optional=True,
    )
    return [
        setting_at("search.seed", seed, _tr("seed"), empty=UNSET),
        setting_at("search.retries", retries, _tr("retries"), empty=UNSET),
        setting_at("search.max_consecutive_failures", failures, _tr("pause after"), _tr("failures in a row")),
    ]


def info(
    name: str,
    kind: Any,
    help_text: str,
    minimum: float | None = None,
    maximum: float | None = None,
    optional: bool = False,
    basic: bool = True,
    default: Any = None,
    choices: tuple[str, ...] = (),
) -> ArgumentInfo:
    """What can be typed into a field; `optional`: it may be empty."""
    return ArgumentInfo(
        name=name,
        type=kind,
        required=not optional,
        nullable=optional and default is None and not choices,
        minimum=minimum,
        maximum=maximum,
        basic=basic,
        default=default,
        choices=choices,
        help=help_text,
    )


def setting_at(
    path: str, argument: ArgumentInfo, label: str, unit: str = "", factor: float = 1.0, empty: Any = None
) -> Setting:
    """A field that stands at `path` of the document, such as `search.limits.memory_gb`.

    Args:
        path: Names of the groups and of the field, with dots.
        argument: What can be typed.
        label: In front of the field.
        unit: Behind it.
        factor: What a number on the screen is multiplied by in the document (60: minutes there, seconds here).
        empty: What the document holds where the field is empty.
    """
    groups, name = path.split(".")[:-1], path.rpartition(".")[2]

    def read(document: StudyDocument) -> Any:
        value: Any = document
        for group in (*groups, name):
            value = getattr(value, group)
        if value == empty:
            return UNSET
        return value / factor if factor != 1.0 else value

    def write(document: StudyDocument, value: Any) -> StudyDocument:
        plain = empty if value is UNSET or value is None else value * factor if factor != 1.0 else value
        changed: StudyDocument = with_value(document, [*groups, name], plain)
        return changed

    return Setting(argument, label, unit, path, read, write)


def with_value(model: Any, path: Sequence[str], value: Any) -> Any:
    """A copy of the frozen `model` with another value at `path`."""
    name, *rest = path
    inner = with_value(getattr(model, name), rest, value) if rest else value
    return model.model_copy(update={name: inner})


def _training_field(argument: ArgumentInfo, label: str, tunable: bool = False) -> Setting:
    name = argument.name

    def read(document: StudyDocument) -> Any:
        return getattr(document.training, name)

    def write(document: StudyDocument, value: Any) -> StudyDocument:
        default = Training.model_fields[name].default
        return _with_training(document, **{name: default if value is UNSET else value})

    return Setting(argument, label, "", f"training.{name}", read, write, tunable)


def _write_patience(document: StudyDocument, value: Any) -> StudyDocument:
    if value is UNSET or value is None:
        return _with_training(document, early_stopping=None)
    present = document.training.early_stopping or EarlyStopping()
    return _with_training(document, early_stopping=present.model_copy(update={"patience": value}))


def _write_min_delta(document: StudyDocument, value: Any) -> StudyDocument:
    present = document.training.early_stopping or EarlyStopping()
    delta = 0.0 if value is UNSET else float(value)
    return _with_training(document, early_stopping=present.model_copy(update={"min_delta": delta}))


def _write_rate(document: StudyDocument, name: str, value: Any) -> StudyDocument:
    """An empty patience switches it off; an empty factor is the usual one."""
    if value is UNSET or value is None:
        if name == "patience":
            return _with_training(document, reduce_rate=None)
        value = RateReduction().factor
    present = document.training.reduce_rate or RateReduction()
    return _with_training(document, reduce_rate=present.model_copy(update={name: value}))


def _with_training(document: StudyDocument, **changes: Any) -> StudyDocument:
    return document.model_copy(update={"training": document.training.model_copy(update=changes)})


def _given(value: Any, convert: Callable[[Any], Any]) -> Any:
    return UNSET if value is None else convert(value)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Settings", text)
