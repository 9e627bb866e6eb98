from tests.study.test_containers import document
from tunerstudio.study.catalogue import load_catalogue
from tunerstudio.study.model import Optimizer
from tunerstudio.study.network import search_space
from tunerstudio.study.optimizers import with_own_conditions
from tunerstudio.study.tunable import TuneChoice, TuneFloat

CATALOGUE = load_catalogue()
RATE = TuneFloat(min=0.001, max=0.1, sampling="log")
MOMENTUM = TuneFloat(min=0.0, max=0.9)


def optimizer(*names, **more):
    name = TuneChoice(choices=names) if len(names) > 1 else names[0]
    return Optimizer(name=name, arguments={"learning_rate": RATE, "momentum": MOMENTUM}, **more)


def test_momentum_is_asked_for_only_where_it_is_taken():
    made = with_own_conditions(optimizer("Adam", "SGD", "RMSprop"), CATALOGUE)
    assert made.arguments["learning_rate"].only_if == {}
    assert made.arguments["momentum"].only_if == {"optimizer": ("SGD", "RMSprop")}
    study = document()
    study = study.model_copy(update={"model": study.model.model_copy(update={"optimizer": made})})
    space = search_space(study)
    assert "momentum" not in space.from_units({"optimizer": 0.0})
    assert "momentum" in space.from_units({"optimizer": 0.5})
    assert with_own_conditions(made, CATALOGUE) == made


def test_conditions_go_when_all_take_it():
    conditional = with_own_conditions(optimizer("Adam", "SGD"), CATALOGUE)
    alone = with_own_conditions(conditional.model_copy(update={"name": "SGD"}), CATALOGUE)
    assert alone.arguments["momentum"] == MOMENTUM


def test_other_conditions_and_choices_of_their_own_stay():
    own = MOMENTUM.model_copy(update={"only_if": {"stage_count": 2}})
    made = optimizer("Adam", "SGD", when={"SGD": {"nesterov": True}, "Lion": {"beta_1": 0.9}})
    made = made.model_copy(update={"arguments": {"momentum": own}})
    changed = with_own_conditions(made, CATALOGUE)
    assert changed.arguments["momentum"].only_if == {"stage_count": 2, "optimizer": ("SGD",)}
    assert changed.when == {"SGD": {"nesterov": True}}
