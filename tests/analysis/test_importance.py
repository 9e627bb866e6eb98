import numpy as np
import pytest

from tunerstudio.analysis.importance import ENOUGH_TRIALS, average_ranks, explained_share, importance
from tunerstudio.study.trials import Trial, TrialState


def history(count, score, seed=0):
    rng = np.random.default_rng(seed)
    trials = []
    for number in range(1, count + 1):
        values = {
            "lr": float(rng.uniform(0.001, 0.1)),
            "units": int(rng.integers(1, 8)),
            "activation": str(rng.choice(["relu", "tanh"])),
            "fixed": 3,
        }
        trials.append(Trial(number, TrialState.COMPLETED, values, score=score(values, rng)))
    return trials


def test_the_one_that_matters_comes_first():
    found = importance(history(80, lambda v, r: v["lr"] + r.normal(0, 0.005)), "max")
    assert found.rows[0].name == "lr"
    assert found.rows[0].share > 0.7
    assert found.rows[0].tendency > 0.9
    assert all(row.share < 0.25 for row in found.rows[1:])
    assert "fixed" not in [row.name for row in found.rows]


def test_tendency_follows_the_direction():
    found = importance(history(60, lambda v, r: v["lr"]), "min")
    assert found.rows[0].tendency == pytest.approx(-1.0)


def test_categories_have_no_tendency():
    found = importance(history(60, lambda v, r: (v["activation"] == "tanh") + r.normal(0, 0.1)), "max")
    assert found.rows[0].name == "activation"
    assert found.rows[0].tendency is None


def test_a_valley_is_seen_too():
    found = importance(history(200, lambda v, r: (v["lr"] - 0.05) ** 2), "min")
    assert found.rows[0].name == "lr"
    assert abs(found.rows[0].tendency) < 0.3


def test_noise_explains_next_to_nothing():
    shares = [
        row.share for seed in range(5) for row in importance(history(40, lambda v, r: r.normal(), seed), "max").rows
    ]
    assert np.mean(shares) < 0.05


def test_one_diverged_trial_does_not_decide():
    trials = history(60, lambda v, r: v["lr"])
    worst = Trial(61, TrialState.COMPLETED, {**trials[0].values, "units": 99}, score=1e30)
    assert importance([*trials, worst], "min").rows[0].name == "lr"


def test_too_few_trials_say_so():
    found = importance(history(ENOUGH_TRIALS - 1, lambda v, r: v["lr"]), "max")
    assert found.rows == ()
    assert (found.completed, found.needed) == (ENOUGH_TRIALS - 1, ENOUGH_TRIALS)


def test_inactive_hyperparameters_need_enough_trials_of_their_own():
    trials = history(40, lambda v, r: v["lr"])
    some = [Trial(t.number, t.state, {**t.values, "rare": t.number}, score=t.score) for t in trials[:5]]
    assert "rare" not in [row.name for row in importance([*some, *trials[5:]], "max").rows]


def test_equal_scores_explain_nothing():
    assert all(row.share == 0 for row in importance(history(30, lambda v, r: 1.0), "max").rows)


def test_ranks_share_ties():
    assert average_ranks(np.array([5.0, 1.0, 5.0])).tolist() == [1.5, 0.0, 1.5]


def test_explained_share_of_one_group():
    assert explained_share(np.zeros(4, dtype=int), np.arange(4.0)) == 0.0
