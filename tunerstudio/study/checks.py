"""What can be said against a study without loading data or Keras: every problem at once, each with its field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tunerstudio.study.catalogue import Catalogue, argument_problems
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import Problem, StudyError, suggest
from tunerstudio.study.model import Block, BlocksModel, EstimatorModel, LayerBlock
from tunerstudio.study.network import AnyTunable, search_space
from tunerstudio.study.objectives import objective_problem


def model_problems(document: StudyDocument, catalogue: Catalogue) -> list[Problem]:
    """What is wrong with the model: unknown classes and arguments, missing ones, unusable ranges, clashing names."""
    model = document.model
    found: list[Problem] = []
    if isinstance(model, BlocksModel):
        found += _blocks_problems(model.blocks, "model.blocks.", catalogue)
        found += _optimizer_problems(model, catalogue)
    elif isinstance(model, EstimatorModel):
        found += _estimator_problems(document, model, catalogue)
    try:
        search_space(document)
    except StudyError as error:
        found += error.problems
    return found


def objective_problems(document: StudyDocument) -> list[Problem]:
    """Whether the objective suits the task and the model."""
    sentence = objective_problem(document.search.objective, document.data.task, document.model)
    return [Problem("search.objective", sentence)] if sentence else []


def _blocks_problems(blocks: Sequence[Block], prefix: str, catalogue: Catalogue) -> Iterator[Problem]:
    for index, block in enumerate(blocks):
        path = f"{prefix}{index}"
        if not isinstance(block, LayerBlock):
            yield from _blocks_problems(block.blocks, f"{path}.blocks.", catalogue)
            continue
        info = catalogue.layer(block.layer)
        if info is None:
            names = [layer.name for layer in catalogue.layers]
            yield Problem(f"{path}.layer", f"Keras has no layer {block.layer!r}.{suggest(block.layer, names)}")
        elif info.unusable:
            yield Problem(f"{path}.layer", info.unusable)
        else:
            for argument, sentence in argument_problems(info, list(block.arguments)):
                yield Problem(f"{path}.arguments.{argument}", sentence)


def _optimizer_problems(model: BlocksModel, catalogue: Catalogue) -> Iterator[Problem]:
    name = model.optimizer.name
    names = list(name.choices) if isinstance(name, AnyTunable) and name.tune == "choice" else [name]
    known = [info.name for info in catalogue.optimizers]
    for one in names:
        info = catalogue.optimizer(str(one))
        if info is None:
            yield Problem("model.optimizer.name", f"Keras has no optimizer {one!r}.{suggest(str(one), known)}")
            continue
        for argument, sentence in argument_problems(info, list(model.optimizer.arguments)):
            yield Problem(f"model.optimizer.arguments.{argument}", sentence)


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
