"""Trials that differ only in values share one compiled program: that is where the speed is."""

import pytest

from tunerstudio.study.document import StudyDocument
from tunerstudio.study.preprocessing import TargetPlan

pytestmark = pytest.mark.tensorflow

TASKS = {
    "binary": TargetPlan(columns=("y",), task="binary", classes=("a", "b")),
    "multiclass": TargetPlan(columns=("y",), task="multiclass", classes=("a", "b", "c")),
    "regression": TargetPlan(columns=("y",), task="regression", offset=(1.0,), scale=(2.0,)),
}
MODELS = {
    "defaults": ("binary", {}),
    "named loss": ("binary", {"loss": "binary_crossentropy", "metrics": ["accuracy", "auc", "f1_score", "brier"]}),
    "loss class": ("multiclass", {"loss": "SparseCategoricalCrossentropy", "metrics": ["accuracy", "top_k"]}),
    "many classes": ("multiclass", {"metrics": ["accuracy", "precision", "recall"]}),
    "regression": ("regression", {"metrics": ["mae", "mse", "rmse", "r2_score", "mape"]}),
    "huber": ("regression", {"loss": "huber"}),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_of_blocks_have_a_signature_that_values_do_not_change(name):
    from tunerstudio.worker.fused_signature import architecture_signature
    from tunerstudio.worker.hypermodels import BlocksHypermodel

    task, changes = MODELS[name]
    model = {
        "kind": "blocks",
        "blocks": [{"layer": "Dense", "arguments": {"units": {"tune": "int", "min": 2, "max": 9}}}],
        "optimizer": {"name": "SGD", "arguments": {"learning_rate": {"tune": "float", "min": 0.01, "max": 0.1}}},
        **changes,
    }
    document = StudyDocument.model_validate(
        {"name": "s", "data": {"source": {"kind": "bundled", "name": "iris"}}, "model": model}
    )
    hypermodel = BlocksHypermodel(document, document.model, TASKS[task], (4,))
    signatures = [
        architecture_signature(hypermodel.build({"dense_1_units": units, "learning_rate": rate}).model)
        for units, rate in ((4, 0.01), (4, 0.05), (5, 0.01))
    ]
    assert signatures[0] is not None
    assert signatures[0] == signatures[1]
    assert signatures[0] != signatures[2]


def test_numbers_change_to_others_that_are_allowed():
    from tunerstudio.study.hyperparameters import Boolean, Choice, Float, Int, SearchSpace
    from tunerstudio.worker.hypermodels import other_values

    kinds = (
        Int(name="units", min=8, max=32, step=8),
        Int(name="doubling", min=4, max=64, step=2, sampling="log"),
        Int(name="one", min=3, max=3),
        Choice(name="filters", choices=(16, 32, 64)),
        Choice(name="activation", choices=("relu", "tanh")),
        Boolean(name="flag"),
        Float(name="rate", min=0.1, max=0.2),
    )
    space = SearchSpace(hyperparameters=kinds)
    values = {"units": 8, "doubling": 8, "one": 3, "filters": 32, "activation": "relu", "flag": True, "rate": 0.15}
    changed = other_values(space, values, tuple(values))
    assert changed == {**values, "units": 16, "doubling": 4, "filters": 16, "rate": 0.1}
    assert space.problems(changed) == []
    assert other_values(space, values, ("units",)) == {**values, "units": 16}
    dropout = SearchSpace(hyperparameters=(Float(name="rate", min=0.0, max=0.5, step=0.1),))
    assert other_values(dropout, {"rate": 0.3}, ("rate",)) == {"rate": 0.4}, "0 is no rate like others"
    assert other_values(dropout, {"rate": 0.0}, ("rate",)) == {"rate": 0.0}
