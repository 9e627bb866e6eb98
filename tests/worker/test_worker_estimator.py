import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.worker.test_text_and_series import NUMBERS, series_folder, text_folder
from tests.worker.worker_samples import (
    ROWS,
    Bench,
    binary_folder,
    document,
    image_folder,
    parts,
    regression_folder,
    table,
)
from tunerstudio.protocol.worker import CommandFailed, EpochEnded, ExecutionEnded, ModelProbed, ProbeModel, TrialBuilt
from tunerstudio.study.catalogue import load_catalogue
from tunerstudio.study.errors import ModelError
from tunerstudio.study.estimator_ranges import usual_ranges
from tunerstudio.study.hyperparameters import Choice
from tunerstudio.study.model import EstimatorModel
from tunerstudio.study.network import search_space
from tunerstudio.worker.estimator import EstimatorStudy, make_estimator, open_estimator
from tunerstudio.worker.prepared import PreparedFolder

FOREST = {
    "kind": "estimator",
    "estimator": "RandomForestClassifier",
    "arguments": {"n_estimators": {"tune": "int", "min": 3, "max": 20}},
    "folds": 3,
}
RIDGE = {"kind": "estimator", "estimator": "Ridge", "arguments": {"alpha": 0.5}, "folds": 4}
FOLDS = {"executions": (0, 1, 2), "seeds": (7, 8, 9)}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return binary_folder(tmp_path_factory.mktemp("estimator") / "data")


def forest(data, tmp_path, **changes):
    return Bench(document(model=FOREST, **changes), data, tmp_path)


def expected_folds():
    """The same by scikit-learn alone, with preparation fitted inside each fold."""
    numeric, words = table()
    rows = np.flatnonzero(parts() < 2)
    x = np.concatenate([numeric[:, :1].astype(object), words.astype(object), numeric[:, 1:].astype(object)], axis=1)[
        rows
    ]
    y = np.array(["benign", "malignant"])[((numeric[:, 0] > 2000.0) ^ (words[:, 0] == "red")).astype(int)][rows]
    for seed, (train, score) in zip(
        (7, 8, 9), StratifiedKFold(3, shuffle=True, random_state=0).split(x, y), strict=True
    ):
        numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        prepare = ColumnTransformer(
            [("n", numbers, [0, 2]), ("w", OneHotEncoder(handle_unknown="ignore", sparse_output=False), [1])]
        )
        fitted = make_pipeline(prepare, RandomForestClassifier(5, random_state=seed)).fit(x[train], y[train])
        yield (
            accuracy_score(y[score], fitted.predict(x[score])),
            log_loss(y[score], np.clip(fitted.predict_proba(x[score]), 1e-7, 1 - 1e-7)),
        )


def test_folds_are_executions_with_scikit_learns_own_scores(data, tmp_path):
    bench = forest(data, tmp_path)
    assert bench.run({"n_estimators": 5}, **FOLDS).outcome == "completed", bench.ended
    done = bench.reports.of(ExecutionEnded)
    expected = list(expected_folds())
    assert [one.score for one in done] == pytest.approx([accuracy for accuracy, _ in expected])
    assert [one.metrics["val_loss"] for one in done] == pytest.approx([loss for _, loss in expected], rel=1e-4)
    assert [(one.best_epoch, one.epochs) for one in done] == [(1, 1)] * 3
    assert [one.epoch for one in bench.reports.of(EpochEnded)] == [1, 1, 1]
    assert bench.reports.of(TrialBuilt)[0].parameters is None


def test_only_the_folds_asked_for(data, tmp_path):
    bench = forest(data, tmp_path)
    bench.run({"n_estimators": 5}, **FOLDS)
    whole = [one.score for one in bench.reports.of(ExecutionEnded)]
    bench.run({"n_estimators": 5}, executions=(2,), seeds=(7, 8, 9))
    assert [one.score for one in bench.reports.of(ExecutionEnded)] == whole[2:]


def test_probe(data, tmp_path):
    bench = forest(data, tmp_path)
    bench.handler.handle(ProbeModel())
    names = {"accuracy", "precision", "recall", "f1_score", "loss", "brier", "auc"}
    assert set(bench.reports.of(ModelProbed)[0].metrics) == {f"val_{name}" for name in names}


def test_values_in_the_users_units(tmp_path):
    doc = document(model=RIDGE, search={"objective": {"name": "val_mae", "direction": "min"}})
    bench = Bench(doc, regression_folder(tmp_path / "data"), tmp_path)
    bench.run({}, executions=(0, 1, 2, 3), seeds=(1, 2, 3, 4))
    done = bench.reports.of(ExecutionEnded)
    assert len(done) == 4
    assert all(one.score < 5.0 for one in done)  # of prices around 300 ± 35
    assert all(one.metrics["val_r2_score"] > 0.9 for one in done)
    assert all(one.metrics["val_loss"] == pytest.approx(one.metrics["val_mse"] / 35.0**2, rel=1e-4) for one in done)


def test_images_are_rows_of_pixels(tmp_path):
    model = {"kind": "estimator", "estimator": "LogisticRegression", "folds": 3}
    bench = Bench(document(model=model), image_folder(tmp_path / "data"), tmp_path)
    assert bench.run({}, **FOLDS).outcome == "completed", bench.ended
    assert bench.reports.of(ExecutionEnded)[0].score > 0.9


def test_sample_and_class_weights_are_honoured(tmp_path):
    scores = {}
    for weighted in (False, True):
        folder = binary_folder(tmp_path / f"{weighted}", weighted)
        np.save(folder / "target.npy", (table()[0][:, 0] > 2003.0).astype("int64"))  # three of ten
        for balance in ("none", "balanced"):
            model = {"kind": "estimator", "estimator": "LogisticRegression", "folds": 3}
            bench = Bench(document(model=model, training={"class_weight": balance}), folder, tmp_path)
            assert bench.run({}, **FOLDS).outcome == "completed", bench.ended
            study = bench.handler._study._study
            pipeline = study.pipeline({}, 0)
            study.fit(pipeline, study.data.search_rows, {})
            scores[weighted, balance] = pipeline.predict_proba(study.rows)[0, 0]
    assert len({round(score, 6) for score in scores.values()}) == 4


def test_an_estimator_without_weights_says_so(tmp_path):
    model = {"kind": "estimator", "estimator": "KNeighborsClassifier", "folds": 3}
    bench = Bench(document(model=model), binary_folder(tmp_path / "data", weighted=True), tmp_path)
    ended = bench.run({}, **FOLDS)
    assert ended.outcome == "failed"
    assert "cannot use weights, but the data has a column of sample weights" in ended.message


def test_an_objective_that_it_does_not_give(data, tmp_path):
    model = {"kind": "estimator", "estimator": "LinearSVC", "folds": 3}
    bench = Bench(document(model=model, search={"objective": {"name": "val_loss", "direction": "min"}}), data, tmp_path)
    assert "'val_loss' is not given by LinearSVC, which gives val_accuracy" in bench.run({}, **FOLDS).message


def test_a_value_that_it_refuses(data, tmp_path):
    ended = forest(data, tmp_path).run({"n_estimators": -1}, **FOLDS)
    assert "RandomForestClassifier cannot be fitted: The 'n_estimators' parameter" in ended.message


def test_more_folds_than_rows(data, tmp_path):
    study = Bench(document(model={**FOREST, "folds": 50}), data, tmp_path).handler._study._study
    assert len(study.folds()) == 50  # too few of each class to stratify, but rows enough
    few = EstimatorStudy(PreparedFolder.open(data), study.document, study.model)
    few.data.__dict__["parts"] = np.where(np.arange(90) < 10, 0, 2)
    with pytest.raises(ModelError, match="10 rows cannot be divided into 50 folds"):
        few.folds()


def test_ordered_rows_are_not_shuffled(data, tmp_path):
    doc = document(model=FOREST, data={"split": {"method": "ordered", "stratified": False}})
    study = Bench(doc, data, tmp_path).handler._study._study
    scored = np.concatenate([score for _, score in study.folds()])
    assert (np.diff(scored) > 0).all()


@pytest.mark.parametrize(
    ("name", "arguments", "classifier", "words"),
    [
        ("RandomForest", {}, True, "no estimator 'RandomForest'. Did you mean 'RandomForest"),
        ("Ridge", {}, True, "Ridge predicts values, but this task needs a classifier"),
        ("SVC", {}, False, "SVC predicts classes, but this task needs a regressor"),
        ("SVC", {"gama": 1}, True, "SVC has no argument 'gama'. Did you mean 'gamma'?"),
        ("VotingClassifier", {}, True, "VotingClassifier cannot be made: .*estimators"),
    ],
)
def test_wrong_estimators_are_sentences(name, arguments, classifier, words):
    with pytest.raises(ModelError, match=words):
        make_estimator(name, arguments, classifier)


def test_probe_of_a_wrong_estimator(data, tmp_path):
    bench = Bench(document(model={"kind": "estimator", "estimator": "Ridge"}), data, tmp_path)
    bench.handler.handle(ProbeModel())
    assert "needs a classifier" in bench.reports.of(CommandFailed)[0].message


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    return regression_folder(tmp_path_factory.mktemp("estimator") / "numbers")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", usual_ranges())
def test_the_usual_ranges_can_be_fitted_from_end_to_end(name, data, numbers):
    model = EstimatorModel(estimator=name, arguments=usual_ranges()[name])
    doc = document(model=model.model_dump(mode="json"))
    task = load_catalogue().estimator(name).tasks
    study = open_estimator(doc, model, data if task == ("classes",) else numbers)
    rows = study.data.search_rows
    for end in (0, -1):
        values = {}
        for one in search_space(doc).hyperparameters:
            values[one.name] = one.choices[end] if isinstance(one, Choice) else (one.min, one.max)[end]
        values = {
            key: min(value, 60) if key in {"n_estimators", "max_iter"} else value for key, value in values.items()
        }
        pipeline = study.pipeline(values, 1)
        study.fit(pipeline, rows, values)
        assert np.isfinite(list(study.evaluate(pipeline, rows[:10]).values())).all()


def test_texts_are_weighted_words(tmp_path):
    model = EstimatorModel(estimator="LogisticRegression")
    study = open_estimator(document(model=model.model_dump(mode="json")), model, text_folder(tmp_path / "data", 4))
    pipeline = study.pipeline({}, 1)
    study.fit(pipeline, study.data.search_rows, {})
    assert study.evaluate(pipeline, study.data.rows(2))["accuracy"] == 1.0
    words = pipeline.named_steps["prepare"].named_transformers_["text_0"].vocabulary_
    assert {"prize", "lunch", "größe_x"} <= set(words)


def test_folds_of_a_series_never_learn_from_what_comes_later(tmp_path):
    model = EstimatorModel(estimator="Ridge", folds=4)
    window = {"source": {"kind": "file", "path": "by-hand.csv"}, "window": {"past": 5, "horizon": 3}}
    doc = document(model=model.model_dump(mode="json"), data=window)
    study = open_estimator(doc, model, series_folder(tmp_path / "data"))
    assert study.rows.shape == (ROWS, 15)
    for train, score in study.folds():
        assert train.max() < score.min() - 2
    bench = Bench(
        document(model=model.model_dump(mode="json"), data=window, search=NUMBERS), tmp_path / "data", tmp_path
    )
    assert bench.run({}, executions=(0, 1), seeds=(1, 2)).outcome == "completed", bench.ended
