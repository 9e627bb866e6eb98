"""Arguments that only some of several optimizers take: asked for only where one of these is chosen."""

from __future__ import annotations

from tunerstudio.study.catalogue import Catalogue
from tunerstudio.study.model import Optimizer
from tunerstudio.study.tunable import AnyTunable, TuneChoice


def with_own_conditions(optimizer: Optimizer, catalogue: Catalogue) -> Optimizer:
    """`optimizer` with a condition on each tunable argument that not all of its choices take.

    An editor calls this after every change of the name or of an argument: conditions on the optimizer follow the
    choices, all other conditions stay. What stands under `when` for an optimizer that can no longer be chosen is left
    out.
    """
    name = optimizer.name
    parent = (name.name or "optimizer") if isinstance(name, TuneChoice) else "optimizer"
    choices = tuple(map(str, name.choices)) if isinstance(name, TuneChoice) else (str(name),)
    arguments = dict(optimizer.arguments)
    for argument, value in arguments.items():
        if not isinstance(value, AnyTunable):
            continue
        infos = {choice: catalogue.optimizer(choice) for choice in choices}
        taking = tuple(one for one, info in infos.items() if info is None or info.argument(argument) is not None)
        only_if = {key: values for key, values in value.only_if.items() if key != parent}
        if isinstance(name, TuneChoice) and taking and taking != choices:
            only_if[parent] = taking
        arguments[argument] = value.model_copy(update={"only_if": only_if})
    when = {choice: given for choice, given in optimizer.when.items() if choice in choices}
    return optimizer.model_copy(update={"arguments": arguments, "when": when})
