"""What can be said against a study without loading data or Keras: every problem at once, each with its field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tunerstudio.study.catalogue import Catalogue, argument_problems
from tunerstudio.study.containers import lists_of
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import Problem, StudyError, suggest
from tunerstudio.study.model import Block, BlocksModel, EstimatorModel, LayerBlock
from tunerstudio.study.network import search_space
from tunerstudio.study.objectives import objective_problem
from tunerstudio.study.tunable import TuneChoice


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
            for inside in lists_of(block):
                yield from _blocks_problems(inside.blocks, f"{path}.{inside.path}.", catalogue)
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
    """Where the optimizer itself is tunable, an argument need only be known to one of them."""
    name = model.optimizer.name
    names = list(name.choices) if isinstance(name, TuneChoice) else [name]
    infos = [catalogue.optimizer(str(one)) for one in names]
    for one, info in zip(names, infos, strict=True):
        if info is None:
            known = [other.name for other in catalogue.optimizers]
            yield Problem("model.optimizer.name", f"Keras has no optimizer {one!r}.{suggest(str(one), known)}")
    found = [info for info in infos if info is not None]
    known_arguments = [argument.name for info in found for argument in info.arguments]
    for argument in model.optimizer.arguments:
        if found and argument not in known_arguments:
            sentence = f"{found[0].name} has no argument {argument!r}.{suggest(argument, known_arguments)}"
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
