"""When the search ends, and how many workers train: the card Budget."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import QCoreApplication

from tunerstudio.gui.model_editor.parsing import UNSET
from tunerstudio.gui.search_form.settings import Setting, info, setting_at, with_value
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.machine import workers_for
from tunerstudio.study.search import Budget, Plateau, Search

S_PER_MIN = 60.0


def budget_settings() -> list[Setting]:
    """Trials, time and workers at once; what else may end a search is folded away."""
    trials = info("trials", "int", _tr("Completed, pruned and failed trials together."), minimum=1)
    limit_help = _tr("The search ends when it has trained for so long; pauses do not count. Empty: no limit.")
    limit = info("time_limit", "float", limit_help, optional=True)
    workers = info(
        "workers",
        "int",
        _tr("Trials trained side by side, each in a process of its own; empty: as many as suit the machine."),
        minimum=1,
        maximum=64,
        optional=True,
        default=_tr("automatic: {n}").format(n=workers_for(Search())),
    )
    return [
        setting_at("search.budget.trials", trials, _tr("trials"), empty=UNSET),
        setting_at("search.budget.time_limit_s", limit, _tr("time limit"), _tr("min"), S_PER_MIN),
        setting_at("search.workers", workers, _tr("workers"), empty="auto"),
        _finish_by(),
        _plateau(),
        _plateau_delta(),
        _target(),
    ]


def _finish_by() -> Setting:
    help_text = _tr(
        "No trial trains beyond this moment: a time of day, such as 07:00 (the next one after the start), or a day and"
        " time, such as 2026-05-30 07:00; empty: no such time."
    )
    argument = info("finish_by", "text", help_text, optional=True, basic=False)
    plain = setting_at("search.budget.finish_by", argument, _tr("finish by"))
    return Setting(plain.argument, plain.label, "", plain.field, plain.read, plain.write, check=_time_trouble)


def _time_trouble(value: Any) -> str:
    if value is UNSET or value is None:
        return ""
    try:
        Budget.model_validate({"finish_by": value})
    except ValidationError:
        return _tr("a time such as 07:00, or a day and time such as 2026-05-30 07:00, is needed")
    return ""


def _plateau() -> Setting:
    help_text = _tr("The search ends when its best score has not improved for so many trials; empty: never.")
    argument = info("plateau", "int", help_text, minimum=1, optional=True, basic=False)

    def read(document: StudyDocument) -> Any:
        plateau = document.search.budget.plateau
        return UNSET if plateau is None else plateau.trials

    def write(document: StudyDocument, value: Any) -> StudyDocument:
        present = document.search.budget.plateau or Plateau()
        plateau = None if value is UNSET or value is None else present.model_copy(update={"trials": value})
        return _with_budget(document, "plateau", plateau)

    return Setting(argument, _tr("plateau"), _tr("trials"), "search.budget.plateau.trials", read, write)


def _plateau_delta() -> Setting:
    help_text = _tr("For the plateau: smaller differences of the best score are no improvement.")
    argument = info("plateau_min_delta", "float", help_text, minimum=0, optional=True, basic=False, default=0.0)

    def read(document: StudyDocument) -> Any:
        plateau = document.search.budget.plateau
        return UNSET if plateau is None or plateau.min_delta == 0.0 else plateau.min_delta

    def write(document: StudyDocument, value: Any) -> StudyDocument:
        present = document.search.budget.plateau or Plateau()
        delta = 0.0 if value is UNSET or value is None else float(value)
        return _with_budget(document, "plateau", present.model_copy(update={"min_delta": delta}))

    label = _tr("least improvement")
    return Setting(argument, label, "", "search.budget.plateau.min_delta", read, write)


def _target() -> Setting:
    help_text = _tr("The search ends when a trial's score is this good; empty: never.")
    argument = info("target", "float", help_text, optional=True, basic=False)
    return setting_at("search.budget.target", argument, _tr("target score"))


def _with_budget(document: StudyDocument, name: str, value: Any) -> StudyDocument:
    changed: StudyDocument = with_value(document, ["search", "budget", name], value)
    return changed


def _tr(text: str) -> str:
    return QCoreApplication.translate("Settings", text)
