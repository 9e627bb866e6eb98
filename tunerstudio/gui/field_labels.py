"""Fields of the study document as the window calls them."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from tunerstudio.gui.search_form.cards import all_settings


def field_label(path: str) -> str:
    """What the window calls the field at `path`, such as `search.budget.trials`: `Budget: trials`.

    A path that no field of the window stands for is told by its last words.
    """
    for section, settings in all_settings():
        for setting in settings:
            if setting.field == path:
                return f"{section.partition(':')[0]}: {setting.label}"
    labels = _other_labels()
    known = max(
        (name for name in labels if path == name or path.startswith((f"{name}.", f"{name}["))), key=len, default=""
    )
    if not known:
        return path.rpartition(".")[2].replace("_", " ")
    rest = path[len(known) :].lstrip(".").replace("_", " ")
    return f"{labels[known]}: {rest.replace('.', ', ')}" if rest else labels[known]


def _other_labels() -> dict[str, str]:
    return {
        "name": _tr("Name of the study"),
        "data": _tr("Data"),
        "data.source": _tr("Data file"),
        "data.split": _tr("Split"),
        "data.columns": _tr("Columns"),
        "model": _tr("Model"),
        "model.file": _tr("Python file"),
        "model.blocks": _tr("Layers"),
        "model.optimizer": _tr("Optimizer"),
        "search": _tr("Search"),
        "search.algorithm": _tr("Algorithm"),
        "search.algorithm.id": _tr("Algorithm"),
        "search.algorithm.options": _tr("Options of the algorithm"),
        "search.objective": _tr("Objective"),
        "search.objective.name": _tr("Objective"),
        "search.objective.direction": _tr("Direction of the objective"),
        "search.pruning": _tr("Pruning"),
        "search.pruning.method": _tr("Pruning"),
        "search.also": _tr("Further objectives"),
        "search.constraints": _tr("Constraints"),
        "training": _tr("Training"),
    }


def _tr(text: str) -> str:
    return QCoreApplication.translate("FieldLabels", text)
