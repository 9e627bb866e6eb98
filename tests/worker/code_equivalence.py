"""Running exported code beside our own hypermodel."""

import types

import keras
import keras_tuner
import numpy as np

from tunerstudio.export_code.programs import DataShape, hypermodel_program, training_program
from tunerstudio.study.hyperparameters import Boolean, Choice, Float, Int
from tunerstudio.study.network import search_space
from tunerstudio.study.preprocessing import TargetPlan
from tunerstudio.worker.hypermodels import BlocksHypermodel

TARGETS = {
    "binary": TargetPlan(columns=("y",), task="binary", classes=("no", "yes")),
    "multiclass": TargetPlan(columns=("y",), task="multiclass", classes=("a", "b", "c")),
    "regression": TargetPlan(columns=("y",), task="regression", offset=(0.0,), scale=(1.0,)),
}


def loaded(source: str) -> types.ModuleType:
    """The exported file as a module; its search does not start."""
    module = types.ModuleType("exported")
    exec(compile(source, "exported.py", "exec"), module.__dict__)
    return module


def shape_for(shape, task):
    return DataShape(task, shape, TARGETS[task].outputs)


def as_plain(hyperparameter):
    """One of Keras Tuner's hyperparameters or of ours, in comparable words."""
    kind = type(hyperparameter).__name__
    if kind in {"Int", "Float"}:
        ours = isinstance(hyperparameter, Int | Float)
        low = hyperparameter.min if ours else hyperparameter.min_value
        high = hyperparameter.max if ours else hyperparameter.max_value
        step = hyperparameter.step
        if kind == "Int" and step is None and hyperparameter.sampling == "linear":
            step = 1  # what Keras Tuner writes for no step
        default = hyperparameter.default_value() if ours else hyperparameter.default
        return kind, low, high, step, hyperparameter.sampling or "linear", default
    if kind == "Choice":
        ours = isinstance(hyperparameter, Choice)
        values = hyperparameter.choices if ours else hyperparameter.values
        return kind, tuple(values), hyperparameter.default_value() if ours else hyperparameter.default
    if kind == "Boolean":
        return kind, hyperparameter.default_value() if isinstance(hyperparameter, Boolean) else hyperparameter.default
    raise AssertionError(kind)


def conditions_of(hyperparameter):
    """Conditions as a dictionary; several on one parent are merged, as a scope can hold one only."""
    merged = {}
    for condition in hyperparameter.conditions:
        name = condition.parent if hasattr(condition, "parent") else condition.name
        values = set(condition.values)
        merged[name] = merged[name] & values if name in merged else values
    return merged


def spaces_are_equal(document, module) -> None:
    """Same names in the same order, kinds, ranges, defaults and conditions."""
    hp = keras_tuner.HyperParameters()
    module.declare_space(hp)
    ours = search_space(document).hyperparameters
    assert [one.name for one in hp.space] == [one.name for one in ours]
    for left, right in zip(hp.space, ours, strict=True):
        assert as_plain(left) == as_plain(right), right.name
        assert conditions_of(left) == conditions_of(right), right.name


def given(document, values):
    """Keras Tuner's object with `values`."""
    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    return hp


def networks_are_equal(ours, theirs, shape) -> None:
    """Same layers, parameters, optimizer, loss; the same output for the same weights."""
    assert theirs.count_params() == ours.count_params()
    assert [tuple(w.shape) for w in theirs.weights] == [tuple(w.shape) for w in ours.weights]
    assert _named(theirs.optimizer) == _named(ours.optimizer)
    assert _loss(theirs) == _loss(ours)
    rng = np.random.default_rng(0)
    weights = [rng.normal(0.1, 0.3, w.shape).astype("float32") ** 2 + 0.01 for w in ours.weights]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    rows = rng.uniform(0.0, 2.0, (4, *shape)).astype("float32")
    np.testing.assert_allclose(
        np.asarray(theirs(rows, training=False)), np.asarray(ours(rows, training=False)), rtol=1e-5, atol=1e-6
    )
    assert _penalty(theirs) == _penalty(ours)


def _named(optimizer):
    config = keras.optimizers.serialize(optimizer)
    return config["class_name"], {k: v for k, v in config["config"].items() if k != "name"}


def _loss(model):
    loss = model.loss
    return loss if isinstance(loss, str) else keras.losses.serialize(loss)


def _penalty(model):
    return round(float(sum(float(one) for one in model.losses)), 4) if model.losses else 0.0


def check_document(document, shape, task, configurations, rng) -> int:
    """Export `document` and compare with ours on random configurations; how many were compared."""
    from tunerstudio.study.catalogue import load_catalogue

    catalogue, data = load_catalogue(), shape_for(shape, task)
    module = loaded(hypermodel_program(document, data, catalogue).script())
    spaces_are_equal(document, module)
    space = search_space(document)
    for number in range(configurations):
        values = space.from_units({name: rng.random() for name in space.names()})
        ours = BlocksHypermodel(document, document.model, TARGETS[task], shape).build(values).model
        theirs = module.StudyModel().build(given(document, values))
        networks_are_equal(ours, theirs, shape)
        if number % 5 == 0:  # a script is made anew for each, which takes longer than the comparison
            script = loaded(training_program(document, data, catalogue, values, 7).script())
            networks_are_equal(ours, script.build_model(), shape)
        keras.backend.clear_session()
    return configurations
