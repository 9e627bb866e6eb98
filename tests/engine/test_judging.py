"""Pruning, constraints and further objectives in real searches: real workers, real networks, the real store."""

import pytest

from tests.engine.reading import epochs_of, trials_of
from tunerstudio.analysis.pareto import pareto_front
from tunerstudio.store.reader import StudyReader
from tunerstudio.study.errors import StudyError
from tunerstudio.study.files import load_document, save_document
from tunerstudio.study.trials import TrialState

pytestmark = pytest.mark.tensorflow

ACCURACY = {"name": "val_accuracy", "direction": "max"}
RATE = {
    "model": {
        "kind": "blocks",
        "blocks": [{"layer": "Dense", "arguments": {"units": {"tune": "int", "min": 2, "max": 40}}}],
        "optimizer": {"arguments": {"learning_rate": {"tune": "float", "min": 1e-6, "max": 0.1, "sampling": "log"}}},
    },
    "training": {"epochs": 9, "executions": 2},
}


def pruned_search(trials=8, **search):
    pruning = {"method": "asha", "options": {"min_epochs": 1}}
    return {"objective": ACCURACY, "budget": {"trials": trials}, "workers": 1, "pruning": pruning, **search}


def told(folder):
    return [(t.number, t.state, t.score, t.epochs, t.message) for t in trials_of(folder)]


def test_bad_trials_are_ended_early_and_keep_their_score(run, blocks_study):
    folder = blocks_study(search=pruned_search(), **RATE)
    assert run(folder).reason == "budget"
    trials = trials_of(folder)
    states = {trial.state for trial in trials}
    assert states == {TrialState.COMPLETED, TrialState.PRUNED}
    for trial in (trial for trial in trials if trial.state is TrialState.PRUNED):
        epochs = epochs_of(folder, trial.number)
        assert [epoch.epoch for epoch in epochs] in ([1], [1, 2, 3])  # a rung, and nothing behind it
        assert trial.score == max(epoch.metrics["val_accuracy"] for epoch in epochs)
        assert trial.epochs == len(epochs)
        assert "where the best" in trial.message


def test_an_interrupted_search_prunes_as_a_whole_one(run, blocks_study):
    whole = blocks_study("whole", search=pruned_search(), **RATE)
    run(whole)
    cut = blocks_study("cut", search=pruned_search(), **RATE)

    def stop(trial):
        if trial.number == 4 and trial.state is TrialState.RUNNING:
            run.control.request_stop("now")

    run.on_trial = stop
    assert run(cut).reason == "stopped"
    run.on_trial = None
    run(cut)
    assert told(cut) == told(whole)


def test_networks_that_are_too_large_are_not_trained(run, blocks_study):
    constraints = ["parameters <= 200", "dense_1_units != 3"]
    search = {"objective": ACCURACY, "budget": {"trials": 3}, "constraints": constraints, "workers": 1}
    folder = blocks_study(search=search)
    assert run(folder).reason == "budget"
    trials = trials_of(folder)
    refused = [trial for trial in trials if trial.state is TrialState.CANCELLED]
    completed = [trial for trial in trials if trial.state is TrialState.COMPLETED]
    assert refused
    assert len(completed) == 3
    for trial in refused:
        assert trial.parameters > 200
        assert trial.message == f"breaks the constraint parameters <= 200 (parameters = {trial.parameters})"
        assert epochs_of(folder, trial.number) == []
    assert all(trial.parameters <= 200 and trial.values["dense_1_units"] != 3 for trial in completed)


def test_a_search_that_only_finds_refused_networks_pauses(run, blocks_study, monkeypatch):
    monkeypatch.setattr("tunerstudio.engine.session.MOST_REFUSED", 3)
    folder = blocks_study(search={"objective": ACCURACY, "constraints": ["memory_mb < 0.00001"], "workers": 1})
    result = run(folder)
    assert result.reason == "failures"
    assert "3 networks in a row were not trained; the last one breaks the constraint memory_mb" in result.message


def test_further_objectives_are_measured_and_kept(run, blocks_study):
    also = [{"name": "latency_ms"}, {"name": "parameters"}, {"name": "val_loss"}, {"name": "training_s"}]
    search = {"objective": ACCURACY, "budget": {"trials": 3}, "also": also, "algorithm": {"id": "nsga2"}}
    folder = blocks_study(search=search)
    run(folder)
    trials = trials_of(folder)
    for trial in trials:
        assert set(trial.measures) == {"latency_ms", "parameters", "val_loss", "training_s"}
        assert trial.measures["parameters"] == trial.parameters
        assert trial.measures["val_loss"] == trial.executions[0].metrics["val_loss"]
        assert trial.measures["latency_ms"] > 0
    front = pareto_front(trials, load_document(folder).search)
    assert front.front()
    assert front.missing == ()


def test_a_pruner_that_fails_pauses_the_search(run, blocks_study, tmp_path, monkeypatch):
    monkeypatch.setenv("TUNERSTUDIO_HOME", str(tmp_path / "home"))
    plugin = tmp_path / "home" / "plugins" / "mine"
    plugin.mkdir(parents=True)
    (plugin / "MANIFEST.toml").write_text(
        'id = "mine"\nname = "Mine"\ndescription = "x"\nversion = "1"\napi = 1\nmodule = "mine"\nkind = "pruner"\n'
    )
    (plugin / "mine.py").write_text("def observe_epoch(curves, trial, epoch, options): return 1 / 0\n")
    folder = blocks_study(search={"objective": ACCURACY, "pruning": {"method": "mine"}, "workers": 1})
    result = run(folder)
    assert result.reason == "plugin"
    assert "raised ZeroDivisionError when it judged an epoch" in result.message
    with StudyReader(folder) as reader:
        assert all(trial.state.is_finished or trial.state is TrialState.QUEUED for trial in reader.trials())


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"pruning": {"method": "ahsa"}}, "search.pruning.method: there is no pruning method 'ahsa'"),
        ({"pruning": {"method": "asha"}, "algorithm": {"id": "hyperband"}}, "Hyperband cuts training short itself"),
        ({"constraints": ["unitz < 3"]}, "search.constraints.0: there is no hyperparameter 'unitz'"),
        ({"also": [{"name": "val_latency"}]}, "search.also.0.name: there is no 'val_latency' here"),
    ],
)
def test_wrong_settings_are_said_before_the_first_trial(engine, blocks_study, search, message):
    folder = blocks_study(search={"objective": ACCURACY, **search})
    with pytest.raises(StudyError) as caught:
        engine.check(folder)
    assert message in str(caught.value)


def test_what_several_objectives_do_not_mean_is_warned_of(engine, blocks_study):
    also = [{"name": "parameters"}]
    pruning = {"method": "median"}
    search = {"objective": ACCURACY, "also": also, "pruning": pruning, "algorithm": {"id": "random"}}
    folder = blocks_study(search=search)
    warnings = " ".join(engine.check(folder).warnings)
    assert "looks for the best val_accuracy alone" in warnings
    assert "ended early by their val_accuracy alone" in warnings
    document = load_document(folder)
    save_document(document.model_copy(update={"search": document.search.model_copy(update={"also": ()})}), folder)
    assert "alone" not in " ".join(engine.check(folder).warnings)
