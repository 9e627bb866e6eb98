"""What can be said against a study without loading data or Keras: every problem at once, each with its field."""

from __future__ import annotations

from collections.abc import Iterator

from tunerstudio.study.catalogue import Catalogue, argument_problems
from tunerstudio.study.checks_blocks import blocks_problems, training_problems
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import Problem, StudyError, suggest
from tunerstudio.study.model import BlocksModel, EstimatorModel
from tunerstudio.study.network import INPUT, resolve_network, search_space
from tunerstudio.study.objectives import objective_problem

_READ_WORDS = {"Embedding", "ReversibleEmbedding", "CategoryEncoding", "IntegerLookup", "Hashing"}
"""Layers that take numbers as names."""


def model_problems(document: StudyDocument, catalogue: Catalogue) -> list[Problem]:
    """What is wrong with the model: unknown classes and arguments, missing ones, unusable ranges, clashing names."""
    model = document.model
    found: list[Problem] = []
    if isinstance(model, BlocksModel):
        found += blocks_problems(model.blocks, catalogue)
        found += training_problems(model, catalogue)
        found += _text_problems(document, model)
    elif isinstance(model, EstimatorModel):
        found += _estimator_problems(document, model, catalogue)
    try:
        search_space(document)
    except StudyError as error:
        found += error.problems
    return found


def _text_problems(document: StudyDocument, model: BlocksModel) -> Iterator[Problem]:
    """Word numbers that a network would take for amounts."""
    if document.data.look != "text":
        return
    try:
        network = resolve_network(model, search_space(document).defaults())
    except StudyError:
        return  # told by itself
    readers = [layer for layer in network.layers if INPUT in layer.inputs]
    wrong = [layer.path for layer in readers if layer.layer not in _READ_WORDS]
    if wrong or not readers:
        message = "the input is numbers of words, which are no amounts: begin with an Embedding, or choose a template"
        yield Problem(wrong[0] if wrong else "model.blocks", message)


def objective_problems(document: StudyDocument) -> list[Problem]:
    """Whether the objective suits the task and the model."""
    sentence = objective_problem(document.search.objective, document.data.task, document.model)
    return [Problem("search.objective", sentence)] if sentence else []


def _estimator_problems(document: StudyDocument, model: EstimatorModel, catalogue: Catalogue) -> Iterator[Problem]:
    info = catalogue.estimator(model.estimator)
    if info is None:
        names = [estimator.name for estimator in catalogue.estimators]
        yield Problem(
            "model.estimator", f"there is no estimator {model.estimator!r} here.{suggest(model.estimator, names)}"
        )
        return
    task = document.data.task
    if task is not None and ("numbers" if task == "regression" else "classes") not in info.tasks:
        what = "numbers" if task == "regression" else "classes"
        yield Problem("model.estimator", f"{info.name} cannot predict {what}: choose another estimator")
    for argument, sentence in argument_problems(info, list(model.arguments)):
        yield Problem(f"model.arguments.{argument}", sentence)
