import pytest

from tunerstudio.study.data import BundledSource, Column, Data, FileSource, ImageShape, Window
from tunerstudio.study.errors import StudyError
from tunerstudio.study.files import document_text, load_document, save_document
from tunerstudio.study.model import BlocksModel, EstimatorModel
from tunerstudio.study.network import resolve_layers, search_space
from tunerstudio.study.objectives import known_objectives, objective_problem, usual_objective
from tunerstudio.study.templates import new_document, template_names

TABLES = {
    "binary": Data(source=BundledSource(name="breast_cancer"), task="binary"),
    "multiclass": Data(source=BundledSource(name="wine"), task="multiclass"),
    "regression": Data(source=BundledSource(name="diabetes"), task="regression"),
}
DIGITS = Data(source=BundledSource(name="digits"), task="multiclass", image=ImageShape(height=8, width=8, maximum=16.0))

TEXT = Data(
    source=FileSource(path="sms.tsv"),
    task="binary",
    columns=(Column(name="text", kind="text"), Column(name="class", role="target", kind="categorical")),
)
SERIES = {task: data.model_copy(update={"window": Window()}) for task, data in TABLES.items()}
ITSELF = TABLES["regression"].model_copy(update={"reconstruct": True})
EVERY = {
    **TABLES,
    "itself": ITSELF,
    "image": DIGITS,
    "text": TEXT,
    **{f"series {task}": data for task, data in SERIES.items()},
}


def names(data):
    return [info.name for info in template_names(data)]


def test_the_first_template_suits_the_task_and_the_shape():
    assert names(TABLES["binary"])[0] == "tabular_classifier"
    assert names(TABLES["regression"])[0] == "tabular_regressor"
    assert names(DIGITS)[0] == "small_image"
    assert "small_image" not in names(TABLES["multiclass"])
    assert "random_forest" not in names(DIGITS)
    assert names(TEXT)[:3] == ["text_convolution", "text_recurrent", "text_transformer"]
    assert names(SERIES["regression"])[:2] == ["series_convolution", "series_recurrent"]
    assert names(ITSELF) == ["autoencoder"]
    assert "tabular_regressor" not in names(SERIES["regression"])


@pytest.mark.parametrize("data", EVERY.values(), ids=EVERY)
def test_every_suiting_template_gives_a_study_that_can_run(data, tmp_path):
    for info in template_names(data):
        document = new_document("a study", data, info.name)
        space = search_space(document)
        assert space.problems(space.defaults()) == []
        assert 1 <= len(space.hyperparameters) <= 20
        assert objective_problem(document.search.objective, data.task, document.model) == ""
        assert document.data == data
        save_document(document, tmp_path / info.name)
        assert load_document(tmp_path / info.name) == document, document_text(document)


def test_objective_follows_the_task():
    assert new_document("s", TABLES["multiclass"]).search.objective == usual_objective("multiclass")
    for name in ("tabular_regressor", "reference", "random_forest", "gradient_boosting", "linear"):
        objective = new_document("s", TABLES["regression"], name).search.objective
        assert (objective.name, objective.direction) == ("val_mae", "min")
    unknown = Data(source=BundledSource(name="wine"))
    assert new_document("s", unknown).search.objective.name == "val_loss"


def test_estimator_follows_the_task():
    for task, ending in (("binary", "Classifier"), ("regression", "Regressor")):
        model = new_document("s", TABLES[task], "random_forest").model
        assert isinstance(model, EstimatorModel)
        assert model.estimator == f"RandomForest{ending}"


def test_image_template_convolves():
    model = new_document("s", DIGITS).model
    assert isinstance(model, BlocksModel)
    space = search_space(new_document("s", DIGITS))
    layers = [layer.layer for layer in resolve_layers(model, space.defaults())]
    assert layers == ["Conv2D", "MaxPooling2D", "Conv2D", "MaxPooling2D", "Flatten", "Dense", "Dropout"]


def test_an_unknown_template_is_refused_with_a_suggestion():
    with pytest.raises(StudyError, match="Did you mean 'random_forest'"):
        new_document("s", TABLES["binary"], "random_forrest")


def test_a_template_for_another_task_is_refused_and_says_which_suit():
    with pytest.raises(StudyError, match="'tabular_classifier' is not for a table with the task regression"):
        new_document("s", TABLES["regression"], "tabular_classifier")


def test_objectives_offered_have_their_true_direction():
    directions = {o.name: o.direction for o in known_objectives("regression", BlocksModel())}
    assert directions["val_r2_score"] == "max"
    assert directions["val_rmse"] == "min"
    forest = EstimatorModel(estimator="RandomForestClassifier")
    assert "val_loss" not in [o.name for o in known_objectives("binary", forest)]
    assert objective_problem(usual_objective("regression"), "binary", BlocksModel()).endswith("choose val_accuracy")
