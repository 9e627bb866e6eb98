"""Pruners: curves, rules, the host, and that cutting pays."""

import math

import numpy as np
import pytest

from tunerstudio.algorithms.api import History, LearningCurves, bracket_count, bracket_of, halving_verdict, rungs
from tunerstudio.algorithms.conformance import CONTINUOUS
from tunerstudio.algorithms.discovery import find_algorithms, find_pruners, get, get_pruner, inspect_folder
from tunerstudio.algorithms.errors import AlgorithmError
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.pruning import Pruner, pruner_for
from tunerstudio.algorithms.simulation import Simulation
from tunerstudio.study.errors import StudyError
from tunerstudio.study.search import AlgorithmChoice, Objective, Pruning, Search
from tunerstudio.study.trials import Epoch, Trial, TrialState

ACCURACY = Objective(name="val_accuracy", direction="max")
SHIPPED = ["asha", "hyperband_pruning", "median", "percentile"]


def curves_of(*rows, direction="min") -> LearningCurves:
    curves = LearningCurves(direction, 10)
    for trial, row in enumerate(rows, 1):
        for epoch, value in enumerate(row, 1):
            curves.add(trial, 0, epoch, value)
    return curves


def pruner(name, epochs=27, objective=ACCURACY, **options) -> Pruner:
    return Pruner(get_pruner(name).manifest, objective, epochs, options)


def train(judge: Pruner, trial: int, curve) -> tuple[int, str | None]:
    """Epoch at which the trial ended, and why."""
    for epoch, value in enumerate(curve, 1):
        reason = judge.observe(trial, 0, epoch, value)
        if reason:
            return epoch, reason
    return len(curve), None


def test_curves_keep_the_best_so_far_and_turn_what_is_to_be_great():
    curves = curves_of([0.5, 0.7, 0.6], [0.4, math.nan, 0.9], direction="max")
    assert curves.losses(1).tolist() == [-0.5, -0.7, -0.6]
    assert curves.at(3) == {1: -0.7, 2: -0.9}
    assert curves.at(2, without=[1]) == {2: -0.4}
    assert (curves.epochs(1), curves.best(1, 4), curves.losses(9).size) == (3, None, 0)


def test_what_never_happened_is_forgotten():
    curves = curves_of([3.0, 2.0, 1.0], [3.0, 2.0])
    curves.forget(1, after=1)
    assert (curves.at(2), curves.epochs(1)) == ({2: 2.0}, 1)
    curves.add(1, 0, 2, 2.5)
    assert curves.at(2) == {1: 2.5, 2: 2.0}
    curves.add(1, 0, 1, 9.0)  # begins again
    assert curves.losses(1).tolist() == [9.0]
    assert curves.at(2) == {2: 2.0}


def test_rungs_and_brackets():
    assert rungs(1, 27, 3) == [1, 3, 9]
    assert rungs(1, 27, 3, bracket=2) == [9]
    assert bracket_count(1, 27, 3) == 4
    counts = np.bincount([bracket_of(trial, 4, 3) for trial in range(1, 1001)])
    assert counts == pytest.approx([1000 * weight / 18.25 for weight in (6.75, 3, 1.5, 1)] * np.array(1.49), rel=0.1)


def test_halving_keeps_one_in_so_many():
    curves = curves_of([5.0], [4.0], [3.0], [2.0], [1.0], [6.0])
    verdicts = [halving_verdict(curves, trial, 1, factor=3) for trial in range(1, 7)]
    assert [verdict is None for verdict in verdicts] == [False, False, False, True, True, False]
    assert verdicts[0] == "Number 5 of 6 at epoch 1, where the best 2 go on"
    assert halving_verdict(curves_of([5.0], [math.inf]), 2, 1, factor=3) is None  # too few to compare


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_pruners_end_the_bad_and_keep_the_best(name):
    judge = pruner(name)
    rng = np.random.default_rng(0)
    qualities = rng.permutation(np.linspace(0.3, 0.9, 40))
    ended = {
        trial: train(judge, trial, [quality * (1 - 0.6**epoch) for epoch in range(1, 28)])
        for trial, quality in enumerate(qualities, 1)
    }
    order = sorted(ended, key=lambda trial: qualities[trial - 1])
    assert ended[order[-1]] == (27, None)
    assert sum(epochs for epochs, _ in ended.values()) < 0.8 * 40 * 27
    cut = [trial for trial, (_, reason) in ended.items() if reason]
    assert np.mean([qualities[trial - 1] for trial in cut]) < np.mean(qualities)
    assert all(reason.endswith(("on", "%", "it", ")")) for _, reason in ended.values() if reason)


def test_answers_depend_on_the_stored_epochs_alone():
    whole, stored = pruner("median"), []
    answers = []
    for trial in range(1, 15):
        for epoch in range(1, 28):
            value = (trial * 7 % 10) / 10 * (1 - 0.5**epoch)
            reason = whole.observe(trial, 0, epoch, value)
            stored.append(Epoch(trial, 0, epoch, {"val_accuracy": value, "loss": 1.0}, at=0.0))
            if reason:
                break
        answers.append(reason)
    again = pruner("median")
    again.record(epoch for epoch in stored if epoch.trial < 14)
    for epoch in (epoch for epoch in stored if epoch.trial == 14):
        reason = again.observe_metrics(epoch)
    assert reason == answers[-1]
    assert any(answers)
    assert not all(answers)


def test_epochs_after_the_verdict_do_not_count():
    judge = pruner("median", startup_trials=1)
    train(judge, 1, [0.9] * 27)
    epoch, reason = train(judge, 2, [0.1] * 27)
    assert epoch == 2
    assert judge.observe(2, 0, 3, 0.99) == reason
    assert judge.curves.epochs(2) == 2
    judge.forget(2)
    assert judge.observe(2, 0, 1, 0.95) is None


def test_only_the_first_execution_is_judged_and_never_its_last_epoch():
    judge = pruner("median", epochs=3, startup_trials=1)
    train(judge, 1, [0.9] * 3)
    assert judge.observe(2, 1, 2, 0.1) is None
    assert judge.observe(3, 0, 3, 0.1) is None


def test_a_pruned_trial_is_worth_what_it_would_have_reached():
    curves = curves_of([5.0, 3.0, 2.0], [6.0, 5.0, 3.0], [7.0])
    trials = [
        Trial(1, TrialState.COMPLETED, {}, score=2.0),
        Trial(2, TrialState.COMPLETED, {}, score=3.0),
        Trial(3, TrialState.PRUNED, {}, score=7.0),
        Trial(4, TrialState.FAILED, {}),
    ]
    history = History(trials, "min", 10, 3, curves)
    assert [trial.number for trial in history.pruned()] == [3]
    assert [trial.number for trial in history.completed()] == [1, 2]
    seen, losses = history.observed()
    assert [trial.number for trial in seen] == [1, 2, 3]
    assert losses.tolist() == [2.0, 3.0, 4.0]
    assert History(trials, "min", 10, 3).observed()[1].tolist() == [2.0, 3.0, 7.0]


def test_a_pruned_trial_is_never_the_best():
    curves = curves_of([9.0, 1.0], [2.0])
    trials = [Trial(1, TrialState.COMPLETED, {}, score=1.0), Trial(2, TrialState.PRUNED, {}, score=2.0)]
    assert History(trials, "min", 10, 3, curves).observed()[1].tolist() == [1.0, 1.0]


def test_pruners_are_no_algorithms():
    assert [info.id for info in find_pruners() if info.origin == "shipped"] == sorted(
        SHIPPED, key=lambda name: get_pruner(name).name.lower()
    )
    assert not {info.id for info in find_algorithms()} & set(SHIPPED)
    with pytest.raises(StudyError, match=r"search.algorithm.id: there is no search algorithm 'asha'"):
        get("asha")


def search_with(method, algorithm="random", **options) -> Search:
    return Search(algorithm=AlgorithmChoice(id=algorithm), pruning=Pruning(method=method, options=options))


def test_the_study_says_how_to_prune():
    random = get("random").manifest
    assert pruner_for(search_with("none"), random, 10) is None
    made = pruner_for(search_with("asha", factor=4), random, 10)
    assert made.manifest.id == "asha"


@pytest.mark.parametrize(
    ("search", "message"),
    [
        (search_with("medain"), r"search.pruning.method: there is no pruning method 'medain'. Did you mean 'median'\?"),
        (search_with("asha", factor=1), "search.pruning.options.factor: must be at least 2, not 1"),
        (search_with("none", factor=3), "search.pruning.options: there is no method to give options to"),
        (search_with("asha", algorithm="hyperband"), "search.pruning.method: Hyperband cuts training short itself"),
    ],
)
def test_wrong_pruning_is_a_study_error(search, message):
    with pytest.raises(StudyError, match=message):
        pruner_for(search, get(search.algorithm.id).manifest, 10)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 1 / 0", "raised ZeroDivisionError when it judged an epoch"),
        ("return True", "answered True to an epoch; a reason or None is needed"),
        ("raise SystemExit", "tried to end the program when it judged an epoch"),
    ],
)
def test_pruner_that_misbehaves(write_plugin, body, message):
    folder = write_plugin(f"def observe_epoch(curves, trial, epoch, options):\n    {body}\n", kind="pruner")
    judge = Pruner(inspect_folder(folder).manifest, ACCURACY, 10)
    with pytest.raises(AlgorithmError, match=message):
        judge.observe(1, 0, 1, 0.5)


def test_pruner_without_its_function(write_plugin):
    info = inspect_folder(write_plugin("x = 1", kind="pruner"))
    with pytest.raises(AlgorithmError, match=r"has no function observe_epoch\(\) in mine.py"):
        Pruner(info.manifest, ACCURACY, 10)


def test_algorithm_that_prunes_by_itself(write_plugin):
    code = (
        "def propose(space, history, rng, options): return {}\n"
        "def observe_epoch(curves, trial, epoch, options): return 'enough' if epoch == 2 else None\n"
    )
    folder = write_plugin(code)
    manifest = folder / "MANIFEST.toml"
    manifest.write_text(manifest.read_text().replace('"parallel"', '"parallel", "prunes"'))
    judge = pruner_for(search_with("none"), inspect_folder(folder).manifest, 10)
    assert [judge.observe(1, 0, epoch, 1.0) for epoch in (1, 2)] == [None, "enough"]


def test_a_search_with_pruning_trains_less_and_finds_as_much():
    def score(values, epochs):
        quality = abs(float(values["a"]) - 0.3) + abs(math.log10(float(values["b"])) + 2) / 4
        return quality + 0.9**epochs

    def search(judge: Pruner | None) -> Simulation:
        host = AlgorithmHost(get("random").manifest, CONTINUOUS, Objective(), 0, 60, 27, {}, pruner=judge)
        simulation = Simulation(host, score, pruner=judge)
        simulation.run(60)
        simulation.end_all()
        return simulation

    whole, cut = search(None), search(pruner("asha", objective=Objective()))
    best = min(trial.score for trial in whole.trials)
    assert min(trial.score for trial in cut.trials if trial.state is TrialState.COMPLETED) == best
    assert sum(trial.epochs for trial in cut.trials) < 0.5 * 60 * 27
    pruned = [trial for trial in cut.trials if trial.state is TrialState.PRUNED]
    assert pruned
    assert all(trial.score is not None and trial.message and trial.epochs < 27 for trial in pruned)
