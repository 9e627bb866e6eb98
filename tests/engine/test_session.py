"""The session on real workers: budgets, failures, stops, resumption."""

import sqlite3

import pytest
from pydantic import TypeAdapter

from tests.engine.reading import epochs_of, trials_of
from tunerstudio.registry.card import read_card
from tunerstudio.store.reader import Cursor, StudyReader
from tunerstudio.study.data import Data
from tunerstudio.study.errors import ModelError, StudyError
from tunerstudio.study.files import load_document, save_document
from tunerstudio.study.model import ModelSpec
from tunerstudio.study.trials import TrialState
from tunerstudio.study.trust import trust

pytestmark = pytest.mark.tensorflow

FITS_TWICE = """
import keras
import keras_tuner

class Two(keras_tuner.HyperModel):
    def build(self, hp):
        model = keras.Sequential([keras.layers.Dense(hp.Int("units", 2, 9)), keras.layers.Dense(3, "softmax")])
        model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def fit(self, hp, model, *args, **kwargs):
        model.fit(*args, **kwargs)
        return model.fit(*args, **kwargs)
"""


def test_a_study_runs_to_its_budget_and_keeps_every_epoch(run, blocks_study):
    folder = blocks_study(training={"executions": 2})
    result = run(folder)
    assert result.reason == "budget"
    trials = trials_of(folder)
    assert [trial.state for trial in trials] == [TrialState.COMPLETED] * 3
    for trial in trials:
        assert trial.score == pytest.approx(sum(e.score for e in trial.executions) / 2)
        assert trial.standard_error is not None
        assert trial.parameters > 0
        told = [(e.execution, e.epoch) for e in epochs_of(folder, trial.number)]
        assert told == [(0, 1), (0, 2), (1, 1), (1, 2)]
        assert {"loss", "accuracy", "val_loss", "val_accuracy"} <= set(epochs_of(folder, trial.number)[0].metrics)


def test_a_target_goes_past_the_budget_and_a_finished_study_does_nothing(run, blocks_study):
    folder = blocks_study(search={"budget": {"trials": 1}})
    assert run(folder, target=2).completed == 2
    before = trials_of(folder)
    assert run(folder).completed == 2
    assert trials_of(folder) == before


def test_a_small_space_ends_when_all_is_tried(run, blocks_study):
    model = {
        "kind": "blocks",
        "blocks": [{"layer": "Dense", "arguments": {"units": {"tune": "choice", "choices": [2, 4]}}}],
    }
    folder = blocks_study(model=model, search={"budget": {"trials": 9}})
    result = run(folder)
    assert result.reason == "exhausted"
    assert result.completed == 2


def test_two_workers_share_the_work(run, blocks_study):
    folder = blocks_study(search={"workers": 2, "budget": {"trials": 4}})
    assert run(folder).completed == 4
    assert len({tuple(trial.values.items()) for trial in trials_of(folder)}) == 4


@pytest.mark.parametrize(
    ("misbehave", "message"),
    [
        ("os._exit(9) if a > 0.5 else None", "exit code 9"),
        ("raise ValueError('too large') if a > 0.5 else None", "too large"),
        ("os.kill(os.getpid(), 11) if a > 0.5 else None", "segmentation fault"),
    ],
    ids=["exit", "exception", "segfault"],
)
def test_a_trial_that_fails_is_one_failed_trial_with_its_cause(run, code_study, misbehave, message):
    body = misbehave if not misbehave.startswith("raise") else "assert a <= 0.5, 'too large'"
    folder = code_study(body, search={"budget": {"trials": 6}, "seed": 4})
    run(folder)
    trials = trials_of(folder)
    assert len(trials) == 6
    bad = [trial for trial in trials if trial.values["a"] > 0.5]
    assert bad
    assert {trial.state for trial in bad} == {TrialState.FAILED}
    assert all(message in trial.message and trial.score is None for trial in bad)
    good = [trial for trial in trials if trial.values["a"] <= 0.5]
    assert {trial.state for trial in good} <= {TrialState.COMPLETED}


def test_a_failed_trial_is_tried_again_as_often_as_wished(run, code_study, tmp_path):
    marker = tmp_path / "was-here"
    body = f"""
    if a > 0.0 and not os.path.exists({str(marker)!r}):
        open({str(marker)!r}, "w").close()
        os._exit(3)
"""
    folder = code_study(body, search={"budget": {"trials": 1}, "retries": 1})
    run(folder)
    (trial,) = trials_of(folder)
    assert trial.state is TrialState.COMPLETED
    assert trial.attempts == 2


def test_too_many_failures_in_a_row_pause_the_search(run, code_study):
    folder = code_study(
        "assert a == 0.0, 'never works'", search={"budget": {"trials": 9}, "max_consecutive_failures": 2}
    )
    result = run(folder)
    assert result.reason == "failures"
    assert "never works" in result.message
    assert len(trials_of(folder)) == 2


def test_a_diverging_training_is_a_failure_and_never_ranked(run, code_study):
    body = """
    if a > 0.0:
        loss = lambda y, p: keras.ops.mean(p) * float("nan")
        model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
        model.compile(optimizer="sgd", loss=loss, metrics=["accuracy"])
        return model
"""
    folder = code_study(body, search={"budget": {"trials": 2}})
    run(folder)
    for trial in trials_of(folder):
        assert trial.state is TrialState.FAILED
        assert "nan" in trial.message
        assert trial.score is None


def test_stop_now_leaves_a_study_that_goes_on_as_if_nothing_had_happened(run, blocks_study):
    whole = blocks_study("whole", training={"epochs": 3})
    run(whole)
    cut = blocks_study("cut", training={"epochs": 3})
    run.on_epochs = lambda epochs: any(e.trial == 2 for e in epochs) and run.control.request_stop("now")
    assert run(cut).reason == "stopped"
    assert not any(trial.state is TrialState.RUNNING for trial in trials_of(cut))
    run.on_epochs = None
    assert run(cut).reason == "budget"

    def told(folder):
        curves = [(e.execution, e.epoch, e.metrics) for n in (1, 2, 3) for e in epochs_of(folder, n)]
        return [(t.number, t.values, t.score) for t in trials_of(folder)], curves

    assert told(cut) == told(whole)


def test_stop_after_the_epoch_is_heard(run, blocks_study):
    folder = blocks_study(training={"epochs": 500, "road": "fit"})
    run.on_epochs = lambda epochs: run.control.request_stop("epoch")
    assert run(folder).reason == "stopped"
    (trial,) = trials_of(folder)
    assert trial.state is TrialState.QUEUED


def test_scores_of_another_objective_are_not_mixed(run, blocks_study):
    folder = blocks_study(search={"budget": {"trials": 1}})
    run(folder)
    document = load_document(folder)
    objective = document.search.objective.model_copy(update={"name": "val_loss", "direction": "min"})
    search = document.search.model_copy(update={"objective": objective})
    save_document(document.model_copy(update={"search": search}), folder)
    with pytest.raises(StudyError, match=r"search\.objective: this differs"):
        run(folder, target=2)


def test_scores_of_another_target_are_not_mixed(run, blocks_study):
    folder = blocks_study(search={"budget": {"trials": 1}})
    run(folder)
    columns = [{"name": f"{part}_{size}_cm"} for part in ("sepal", "petal") for size in ("length", "width")]
    columns += [{"name": "species", "role": "ignore", "kind": "categorical"}]
    columns[0].update(role="target", kind="categorical")
    data = {"source": {"kind": "bundled", "name": "iris"}, "columns": columns}
    document = load_document(folder)
    save_document(document.model_copy(update={"data": Data.model_validate(data)}), folder)
    with pytest.raises(StudyError, match=r"data\.columns: this differs"):
        run(folder, target=2)


def test_code_that_fits_twice_keeps_all_its_epochs(run, blocks_study):
    folder = blocks_study(model={"kind": "code", "file": "model.py"}, search={"budget": {"trials": 1}})
    (folder / "model.py").write_text(FITS_TWICE)
    trust(folder)
    assert run(folder).completed == 1
    assert [epoch.epoch for epoch in epochs_of(folder, 1)] == [1, 2, 3, 4]


def test_a_session_that_breaks_leaves_no_trial_running(run, blocks_study):
    folder = blocks_study()

    def fail(trial):
        raise RuntimeError("whoever listens is broken")

    run.on_trial = fail
    with pytest.raises(RuntimeError, match="whoever listens"):
        run(folder)
    run.on_trial = None
    with sqlite3.connect(folder / "study.db") as database:
        assert database.execute("SELECT state FROM trials").fetchall() == [("QUEUED",)]
    database.close()
    assert run(folder).completed == 3


def test_fewer_than_one_trial_cannot_be_wanted(run, blocks_study):
    with pytest.raises(StudyError, match="1 or more"):
        run(blocks_study(), target=0)


@pytest.mark.parametrize(
    ("search", "field", "message"),
    [
        ({"objective": {"name": "val_acuracy", "direction": "max"}}, "search.objective.name", "Did you mean"),
        ({"objective": {"name": "val_accuracy", "direction": "min"}}, "search.objective.direction", "direction max"),
        ({"algorithm": {"id": "randm"}}, "search.algorithm.id", "Did you mean 'random'?"),
        ({"algorithm": {"id": "random", "options": {"x": 1}}}, "search.algorithm.options.x", "no option"),
    ],
)
def test_wrong_settings_are_found_before_the_first_trial(engine, blocks_study, search, field, message):
    with pytest.raises(StudyError) as caught:
        engine.check(blocks_study(search=search))
    problems = {problem.field: problem.message for problem in caught.value.problems}
    assert message in problems[field]


def test_a_space_without_anything_tunable_is_refused(engine, blocks_study):
    model = {"kind": "blocks", "blocks": [{"layer": "Dense", "arguments": {"units": 4}}]}
    with pytest.raises(StudyError, match="nothing may vary"):
        engine.check(blocks_study(model=model))


def test_code_of_a_stranger_does_not_run(engine, blocks_study, tmp_path):
    folder = blocks_study(model={"kind": "code", "file": "model.py"})
    (folder / "model.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    with pytest.raises(StudyError, match="trust"):
        engine.check(folder)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("body", "message"),
    [("return 7", "Keras model"), ("a = undefined_name", "undefined_name"), ("hp.Int('n', 5, 1)", "n")],
)
def test_wrong_code_is_a_sentence_before_the_first_trial(engine, code_study, body, message):
    with pytest.raises((ModelError, StudyError), match=message):
        engine.check(code_study(body))


def test_models_are_saved_verified_and_described(engine, run, blocks_study):
    folder = blocks_study(training={"executions": 2})
    run(folder)
    saved = engine.save(folder, 2, None, lambda share, text: None)
    assert len(saved) == 2
    for model in saved:
        assert model.verified
        assert model.path.is_file()
        assert (model.path.parent / "card.json").is_file()
        assert "<h1>" in (model.path.parent / "card.html").read_text()
        assert 0.0 <= model.test["accuracy"] <= 1.0
    assert not [path for path in (folder / "models").iterdir() if path.name.startswith(".")]


def test_a_trial_is_saved_as_it_was_trained_though_the_study_was_edited(engine, run, blocks_study):
    folder = blocks_study(search={"budget": {"trials": 1}})
    run(folder)
    document = load_document(folder)
    other = {"kind": "estimator", "estimator": "DecisionTreeClassifier", "folds": 3}
    other["arguments"] = {"max_depth": {"tune": "int", "min": 1, "max": 2}}
    save_document(document.model_copy(update={"model": TypeAdapter(ModelSpec).validate_python(other)}), folder)
    run(folder, target=2)
    saved = engine.save(folder, 2, None, lambda share, text: None)
    assert sorted(model.path.name for model in saved) == ["model.keras", "model.skops"]
    assert all(model.verified for model in saved)


def test_queued_trials_that_an_edit_made_illegal_are_cancelled(run, blocks_study):
    folder = blocks_study(training={"epochs": 500, "road": "fit"})
    run.on_epochs = lambda epochs: run.control.request_stop("now")
    run(folder)
    run.on_epochs = None
    model = {
        "kind": "blocks",
        "blocks": [{"layer": "Dense", "arguments": {"units": {"tune": "int", "min": 50, "max": 60}}}],
    }
    document = load_document(folder)
    changes = {
        "model": TypeAdapter(ModelSpec).validate_python(model),
        "training": document.training.model_copy(update={"epochs": 1}),
    }
    save_document(document.model_copy(update=changes), folder)
    run(folder, target=1)
    assert [trial.state for trial in trials_of(folder)] == [TrialState.CANCELLED, TrialState.COMPLETED]


def test_a_budget_that_ends_hyperband_early_is_told(run, blocks_study):
    folder = blocks_study(search={"algorithm": {"id": "hyperband"}, "budget": {"trials": 1}}, training={"epochs": 3})
    run(folder)
    with StudyReader(folder) as reader:
        log = [line.text for line in reader.changes(Cursor()).log]
    assert any("Hyperband runs" in text and "budget of 1" in text for text in log)


def test_the_card_of_an_estimator_does_not_flatter_it(engine, run, blocks_study):
    model = {"kind": "estimator", "estimator": "DecisionTreeClassifier", "folds": 3}
    model["arguments"] = {"max_depth": {"tune": "int", "min": 1, "max": 4}}
    folder = blocks_study(model=model, search={"budget": {"trials": 1}})
    run(folder)
    (saved,) = engine.save(folder, 1, None, lambda share, text: None)
    card = read_card(saved.path.parent)
    assert card.verified
    assert card.refitted
    assert card.validation == {}
    assert card.saved_score == card.score == trials_of(folder)[0].score
    assert not any(execution.saved for execution in card.executions)
    assert "fitted anew" in (saved.path.parent / "card.html").read_text()
