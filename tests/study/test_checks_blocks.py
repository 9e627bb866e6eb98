import pytest

from tests.study.test_containers import dense, document
from tunerstudio.study.catalogue import load_catalogue
from tunerstudio.study.checks import model_problems


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue()


def regular(**regularizer):
    return dense(4, kernel_regularizer=regularizer)


UP_FROM_0 = {"tune": "int", "min": 0, "max": 3}
NESTED = {"optional": True, "blocks": [{"parallel": [{"name": "a", "blocks": [{"layer": "Dense"}]}]}]}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (dense({"tune": "int", "min": 0, "max": 4}), "units: units can be 0: 1 is the least that makes sense"),
        (dense(0), "units: units can be 0"),
        ({"layer": "Dropout", "arguments": {"rate": 1.5}}, "rate: rate can be 1.5: 1 is the most"),
        (dense({"tune": "int", "min": 1, "max": 4, "only_if": {"optimizer": "SGD"}}), "Dense always needs units"),
        (regular(name="L2L1"), "kernel_regularizer.name: there is no regularizer 'L2L1'. Did you mean 'L"),
        (regular(name="l2", arguments={"l1": 0.1}), "kernel_regularizer.arguments.l1: L2 has no argument 'l1'."),
        (dense({"name": "l2"}), "units takes no object"),
        ({"layer": "Bidirectional", "arguments": {"layer": "LSTM"}}, "layer takes a layer"),
        ({"layer": "Bidirectional", "arguments": {"layer": dense()}}, "Dense cannot stand inside Bidirectional"),
        ({"layer": "TimeDistributed", "arguments": {"layer": {"layer": "Dens"}}}, "no layer 'Dens'. Did you mean 'De"),
        ({"layer": "Conv1D", "arguments": {"filters": 2, "kernel_size": UP_FROM_0}}, "kernel_size can be 0"),
        ({"layer": "Concatenate"}, "put a Parallel block here"),
        (NESTED, "0.parallel.0.blocks.0.arguments.units: Dense needs units"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(block, expected, catalogue):
    optimizer = {"name": {"tune": "choice", "choices": ["Adam", "SGD"]}}
    found = [str(problem) for problem in model_problems(document(block, optimizer=optimizer), catalogue)]
    assert any(expected in text for text in found), found


def test_disabled_blocks_are_not_complained_about(catalogue):
    assert model_problems(document({"layer": "Dens", "disabled": True}), catalogue) == []


def test_arguments_of_one_choice_are_checked_against_it(catalogue):
    name = {"tune": "choice", "choices": ["Adam", "SGD"]}
    wrong = document(optimizer={"name": name, "when": {"Adam": {"momentum": 0.9}, "RMSprop": {}}})
    found = [str(problem) for problem in model_problems(wrong, catalogue)]
    assert any("model.optimizer.when.Adam.momentum: Adam has no argument 'momentum'" in text for text in found)
    assert any("'RMSprop' is never chosen here" in text for text in found)
    right = document(optimizer={"name": name, "when": {"SGD": {"momentum": 0.9}}})
    assert model_problems(right, catalogue) == []


def test_schedules_losses_and_metrics_are_checked(catalogue):
    study = document(
        optimizer={
            "arguments": {"learning_rate": {"name": "CosineDecay", "arguments": {"initial_learning_rate": 0.1}}}
        },
        loss={"name": "Huberr"},
        metrics=[{"name": "AUC", "arguments": {"curves": "PR"}}],
    )
    found = [str(problem) for problem in model_problems(study, catalogue)]
    assert found == [
        "model.optimizer.arguments.learning_rate.arguments.decay_steps: CosineDecay needs decay_steps",
        "model.loss.name: there is no loss 'Huberr'. Did you mean 'Huber'?",
        "model.metrics.0.arguments.curves: AUC has no argument 'curves'. Did you mean 'curve'?",
    ]


def test_every_default_lies_within_the_known_bounds(catalogue):
    from tunerstudio.study.checks_blocks import _bound_problems

    infos = (*catalogue.layers, *catalogue.optimizers, *(one for group in catalogue.objects.values() for one in group))
    wrong = [(i.name, a.name) for i in infos for a in i.arguments for _ in _bound_problems(a, a.default, "")]
    assert wrong == []
