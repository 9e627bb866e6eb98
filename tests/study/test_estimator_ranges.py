"""The ranges that estimators start with."""

import pytest

from tunerstudio.study.catalogue import load_catalogue
from tunerstudio.study.data import BundledSource, Data
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.estimator_ranges import usual_ranges, with_estimator
from tunerstudio.study.hyperparameters import Choice
from tunerstudio.study.model import EstimatorModel
from tunerstudio.study.network import search_space
from tunerstudio.study.tunable import TuneFloat

CATALOGUE = load_catalogue()


def known(name):
    info = CATALOGUE.estimator(name)
    assert info is not None, name
    return {argument.name: argument for argument in info.arguments}


def ends(hyperparameter):
    return hyperparameter.choices if isinstance(hyperparameter, Choice) else (hyperparameter.min, hyperparameter.max)


@pytest.mark.parametrize("name", usual_ranges())
def test_ranges_are_arguments_of_the_estimator_and_within_its_bounds(name):
    model = EstimatorModel(estimator=name, arguments=usual_ranges()[name])
    document = StudyDocument(name="s", data=Data(source=BundledSource(name="wine")), model=model)
    space = search_space(document)
    assert space.problems(space.defaults()) == []
    assert space.hyperparameters
    for hyperparameter in space.hyperparameters:
        info = known(name)[hyperparameter.name]
        for value in ends(hyperparameter):
            assert isinstance(value, str) or info.minimum is None or value >= info.minimum
            assert isinstance(value, str) or info.maximum is None or value <= info.maximum
    assert set(model.arguments) <= set(known(name))


def test_the_everyday_estimators_have_ranges():
    everyday = {info.name for info in CATALOGUE.estimators if info.everyday is not None}
    assert everyday <= set(usual_ranges())


def test_what_the_user_gave_stays_and_other_ranges_change():
    model = EstimatorModel(estimator="RandomForestClassifier", arguments=usual_ranges()["RandomForestClassifier"])
    own = {**model.arguments, "max_depth": 5, "criterion": "entropy"}
    other = with_estimator(
        model.model_copy(update={"arguments": own}), "DecisionTreeClassifier", set(known("DecisionTreeClassifier"))
    )
    assert other.arguments["max_depth"] == 5
    assert other.arguments["criterion"] == "entropy"
    assert other.arguments["min_samples_leaf"] == usual_ranges()["DecisionTreeClassifier"]["min_samples_leaf"]
    assert "n_estimators" not in other.arguments
    ridge = with_estimator(other, "RidgeClassifier", set(known("RidgeClassifier")))
    assert isinstance(ridge.arguments["alpha"], TuneFloat)
