"""The shipped catalogue against the Keras and scikit-learn that are installed."""

import pytest

from tunerstudio.locations import resources_folder
from tunerstudio.study.catalogue import load_catalogue

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


def test_the_catalogue_is_what_the_installed_packages_give(keras):
    from tunerstudio.worker.catalogue import build_catalogue, catalogue_text

    shipped = (resources_folder() / "catalogue" / "keras.json").read_text(encoding="utf-8")
    assert catalogue_text(build_catalogue()) == shipped, "run: python -m tunerstudio.worker.catalogue"


def test_every_public_layer_is_there_by_name_or_alias(keras):
    import inspect

    catalogue = load_catalogue()
    bases = {"Layer", "Wrapper", "InputLayer", "InputSpec"}
    public = {name for name, item in vars(keras.layers).items() if inspect.isclass(item)} - bases
    assert len(public) > 150
    assert [name for name in sorted(public) if catalogue.layer(name) is None] == []


def test_every_name_on_offer_is_taken_by_keras(keras):
    catalogue = load_catalogue()
    for module, names in (
        (keras.activations, catalogue.activations),
        (keras.initializers, catalogue.initializers),
        (keras.regularizers, catalogue.regularizers),
        (keras.constraints, catalogue.constraints),
    ):
        assert len(names) >= 4
        for name in names:
            assert callable(module.get(name))


def test_usable_layers_without_required_arguments_can_be_made(keras):
    made = 0
    for info in load_catalogue().layers:
        if not info.unusable and not info.missing(()):
            getattr(keras.layers, info.name)()
            made += 1
    assert made > 40


def test_every_listed_estimator_is_one_that_the_worker_finds():
    import importlib

    worker = importlib.import_module("tunerstudio.worker.estimator")
    names = [info.name for info in load_catalogue().estimators]
    assert len(names) > 60
    assert names[0] == "RandomForestClassifier"
    for name in names:
        assert any(hasattr(importlib.import_module(f"sklearn.{module}"), name) for module in worker._MODULES), name
