"""A saved Keras model taken into the study: what becomes of it, and what is said about it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication

from tunerstudio.study.document import StudyDocument
from tunerstudio.study.keras_blocks import OpenedKeras
from tunerstudio.study.model import BlocksModel
from tunerstudio.study.names import named
from tunerstudio.study.objectives import objective_problem, usual_objective


def with_keras_model(document: StudyDocument, opened: OpenedKeras) -> StudyDocument:
    """`document` with the network of the saved model; its loss and metrics follow from the task."""
    model = BlocksModel(blocks=named(opened.model.blocks), optimizer=opened.model.optimizer)
    search = document.search
    if objective_problem(search.objective, document.data.task, model):
        search = search.model_copy(update={"objective": usual_objective(document.data.task)})
    return document.model_copy(update={"model": model, "search": search})


def opened_sentence(path: Path, opened: OpenedKeras) -> str:
    """What was taken and what was not."""
    parts = [_tr("The network of {file} is here, without its weights: trials train it anew.").format(file=path.name)]
    if opened.output:
        text = _tr("Its last layer ({layer}) is left out: the output follows from your data.")
        parts.append(text.format(layer=opened.output))
    if opened.input_shape:
        shape = " × ".join("?" if size is None else str(size) for size in opened.input_shape)
        parts.append(_tr("It was made for inputs of {shape}.").format(shape=shape))
    if opened.frozen:
        text = _tr("{count} layers that were frozen are trained here.")
        one = _tr("Layer {name}, which was frozen, is trained here.")
        several = len(opened.frozen) > 1
        parts.append(text.format(count=len(opened.frozen)) if several else one.format(name=opened.frozen[0]))
    return " ".join(parts)


def _tr(text: str) -> str:
    return QCoreApplication.translate("KerasImport", text)
