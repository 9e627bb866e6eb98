"""The settings of a search as fields: what each is called, where it stands in the document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication

from tunerstudio.gui.model_editor.parsing import UNSET
from tunerstudio.study.catalogue import ArgumentInfo
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.search import Budget, EarlyStopping, Search, Training

_S_PER_MIN = 60.0


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


def budget_settings() -> list[Setting]:
    """When the search ends."""
    return [
        _search_field(
            _info("trials", "int", _tr("Completed, pruned and failed trials together."), minimum=1),
            _tr("trials"),
            part="budget",
        ),
        Setting(
            _info(
                "time_limit", "float", _tr("The search ends after so much training; empty: no limit."), optional=True
            ),
            _tr("time limit"),
            _tr("min"),
            "search.budget.time_limit_s",
            lambda document: _given(document.search.budget.time_limit_s, lambda s: s / _S_PER_MIN),
            lambda document, value: _with_budget(
                document, time_limit_s=_given_or_none(value, lambda m: m * _S_PER_MIN)
            ),
        ),
        _search_field(
            _info(
                "workers",
                "int",
                _tr("Trials trained side by side, each in a process of its own; empty: as many as suit the machine."),
                minimum=1,
                maximum=64,
            ),
            _tr("workers"),
        ),
    ]


def training_settings() -> list[Setting]:
    """How one trial is trained."""
    epochs = _info("epochs", "int", _tr("Most passes over the training rows in one execution."), minimum=1)
    batch = _info("batch_size", "int", _tr("Rows per step; small is slower and often better."), minimum=1)
    executions = _info(
        "executions", "int", _tr("Fits per trial, each with its own seed; the score is their mean."), minimum=1
    )
    patience = _info(
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
        choices=("none", "balanced"),
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
        ),
        Setting(
            least,
            _tr("least improvement"),
            "",
            "training.early_stopping.min_delta",
            lambda document: _given(document.training.early_stopping, lambda stopping: stopping.min_delta),
            _write_min_delta,
        ),
        _training_field(weight, _tr("class weights")),
        _training_field(road, _tr("trained by")),
    ]


def search_settings() -> list[Setting]:
    """Seed, retries and what happens after failures."""
    seed = _info(
        "seed", "int", _tr("The same seed gives the same trials again; 0 is a seed like any other."), minimum=0
    )
    retries = _info("retries", "int", _tr("How often a failed trial is tried again."), minimum=0, maximum=10)
    failures = _info(
        "max_consecutive_failures",
        "int",
        _tr("The search pauses after so many failed trials in a row; empty: never."),
        minimum=1,
        optional=True,
    )
    return [
        _search_field(seed, _tr("seed")),
        _search_field(retries, _tr("retries")),
        _search_field(failures, _tr("pause after"), unit=_tr("failures in a row")),
    ]


def _info(
    name: str,
    kind: Any,
    help_text: str,
    minimum: float | None = None,
    maximum: float | None = None,
    optional: bool = False,
) -> ArgumentInfo:
    return ArgumentInfo(
        name=name,
        type=kind,
        required=not optional,
        nullable=optional,
        minimum=minimum,
        maximum=maximum,
        help=help_text,
    )


def _search_field(argument: ArgumentInfo, label: str, part: str = "", unit: str = "") -> Setting:
    name = argument.name

    def read(document: StudyDocument) -> Any:
        value = getattr(document.search.budget if part else document.search, name)
        # Workers left to the machine are shown as an empty field.
        return UNSET if value is None or value == "auto" else value

    def write(document: StudyDocument, value: Any) -> StudyDocument:
        empty = "auto" if name == "workers" else None
        plain = empty if value is UNSET else value
        return _with_budget(document, **{name: plain}) if part else _with_search(document, **{name: plain})

    return Setting(argument, label, unit, f"search.{part + '.' if part else ''}{name}", read, write)


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


def _with_search(document: StudyDocument, **changes: Any) -> StudyDocument:
    search: Search = document.search.model_copy(update=changes)
    return document.model_copy(update={"search": search})


def _with_budget(document: StudyDocument, **changes: Any) -> StudyDocument:
    budget: Budget = document.search.budget.model_copy(update=changes)
    return _with_search(document, budget=budget)


def _with_training(document: StudyDocument, **changes: Any) -> StudyDocument:
    return document.model_copy(update={"training": document.training.model_copy(update=changes)})


def _given(value: Any, convert: Callable[[Any], Any]) -> Any:
    return UNSET if value is None else convert(value)


def _given_or_none(value: Any, convert: Callable[[Any], Any]) -> Any:
    return None if value is UNSET or value is None else convert(value)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Settings", text)
