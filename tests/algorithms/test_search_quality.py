"""The benchmark of search quality, on tables made on the spot."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from benchmarks.search_quality import plot, report, tables
from benchmarks.search_quality.results import Results
from benchmarks.search_quality.searches import Job, Outcome, run

ROOT = Path(__file__).resolve().parents[2]
TABLES = ROOT.parent / "shared" / "tables"


@pytest.fixture
def grid(tmp_path):
    """10 x 10 configurations, two repeats; the best at (7, 2)."""
    x, y = np.meshgrid(np.arange(10), np.arange(10), indexing="ij")
    loss = 1.0 + (x - 7) ** 2 + (y - 2) ** 2
    meta = {"benchmark": "made", "axes": ["x", "y"], "choices": {"x": list(range(10)), "y": list(range(10))}}
    np.savez(tmp_path / "made__grid.npz", meta=json.dumps(meta), val_loss=np.stack([loss, 1.01 * loss], axis=-1))
    return tmp_path / "made__grid.npz"


@pytest.fixture
def pool(tmp_path):
    """60 configurations with curves of 9 epochs; those with x > 0.9 diverge."""
    rng = np.random.default_rng(0)
    points = rng.random((60, 2))
    last = (points[:, 0] - 0.5) ** 2 + points[:, 1]
    curves = last[:, None] + np.linspace(1.0, 0.0, 9)
    curves[points[:, 0] > 0.9, 3:] = np.nan
    meta = {"benchmark": "made", "columns": ["x", "y"], "log": [False, False]}
    np.savez(tmp_path / "made__pool.npz", meta=json.dumps(meta), X=points, valid_loss=curves)
    return tmp_path / "made__pool.npz"


def test_a_search_is_scored_by_what_it_would_pick(grid):
    outcome = run(Job("gaussian_process", grid, 0, 40))
    assert len(outcome.regrets) == len(outcome.seconds) == 40
    assert outcome.regrets == sorted(outcome.regrets, reverse=True)
    assert outcome.regrets[-1] == 0.0
    assert run(Job("random", grid, 0, 40)).regrets[-1] > 0.0
    assert outcome.repeats == outcome.failed == 0


def test_regret_is_zero_for_the_best_and_one_for_the_median(grid):
    table = tables.load(grid)
    assert table.regret({"x": 7, "y": 2}) == 0.0
    regrets = [table.regret({"x": x, "y": y}) for x in range(10) for y in range(10)]
    assert np.median(regrets) == pytest.approx(1.0, abs=0.01)


def test_an_algorithm_takes_options_and_slots(grid):
    assert run(Job("evolution:population=5,step=0.3", grid, 1, 30)).algorithm == "evolution:population=5,step=0.3"
    beside = run(Job("tpe", grid, 0, 30, slots=4))
    assert len(beside.regrets) == 30
    assert beside.regrets != run(Job("tpe", grid, 0, 30)).regrets


def test_a_pool_gives_its_nearest_and_counts_what_diverged(pool):
    outcome = run(Job("random", pool, 0, 60))
    assert outcome.regrets[-1] == 0.0
    with np.load(pool) as arrays:
        assert outcome.failed == (arrays["X"][:, 0] > 0.9).sum()
    assert outcome.repeats == 0


def test_with_epochs_as_the_budget_short_trials_cost_less(pool):
    whole = run(Job("random", pool, 0, 12, cut=True))
    short = run(Job("hyperband", pool, 0, 12, cut=True))
    pruned = run(Job("random+median", pool, 0, 12, cut=True))
    assert len(whole.seconds) == 12
    assert len(short.seconds) > 15
    assert len(pruned.seconds) > 12
    assert len(whole.regrets) == len(short.regrets) == len(pruned.regrets) == 12


def outcome_of(algorithm, table, seed, regrets):
    return Outcome(algorithm, table, "made", seed, regrets, [0.01] * len(regrets), 0, 0)


def test_a_search_ends_when_the_pool_is_used_up(pool):
    pruned = run(Job("random+median", pool, 0, 60, cut=True))
    assert len(pruned.seconds) == 60
    assert len(pruned.regrets) == 60
    assert pruned.regrets[-1] == 0.0


def test_every_table_counts_the_same_and_equal_ones_share_a_rank():
    done = [
        outcome_of("one", "a", 0, [0.4, 0.2]),
        outcome_of("one", "a", 1, [0.2, 0.0]),
        outcome_of("one", "b", 0, [0.9, 0.5]),
        outcome_of("two", "a", 0, [0.4, 0.2]),
        outcome_of("two", "a", 1, [0.9, 0.9]),
        outcome_of("two", "b", 0, [0.1, 0.1]),
    ]
    assert report.curves(done, "one").tolist() == pytest.approx([0.6, 0.3])
    assert report.ranks(done, 2) == pytest.approx({"one": (1.5 + 1 + 2) / 3, "two": (1.5 + 2 + 1) / 3})


def test_results_are_found_again(tmp_path):
    results = Results(tmp_path / "results.jsonl")
    results.add("key", outcome_of("one", "a", 0, [0.5]))
    again = Results(tmp_path / "results.jsonl")
    assert "key" in again
    assert again["key"] == results["key"]
    assert "other" not in again


def test_a_search_that_was_cut_while_it_was_written_is_run_again(tmp_path):
    path = tmp_path / "results.jsonl"
    results = Results(path)
    for key in ("first", "second"):
        results.add(key, outcome_of("one", "a", 0, [0.5]))
    path.write_text(path.read_text()[:-20])
    again = Results(path)
    assert "first" in again
    assert "second" not in again
    again.add("second", outcome_of("one", "a", 0, [0.4]))
    assert Results(path)["second"].regrets == [0.4]


def test_only_what_all_have_searched_is_compared():
    done = [
        outcome_of("one", "a", 0, [0.4, 0.2]),
        outcome_of("two", "a", 0, [0.5, 0.2]),
        outcome_of("one", "a", 1, [0.2, 0.0]),
        outcome_of("two", "a", 1, [0.6, 0.2]),
        outcome_of("one", "b", 0, [0.1, 0.1]),
    ]
    kept = report.comparable(done, ["one", "two"])
    assert [(o.algorithm, o.table, o.seed) for o in kept] == [(o.algorithm, o.table, o.seed) for o in done[:4]]
    printed = report.differences(kept, [1, 2])
    cells = [list(column.cells) for column in printed.columns]
    assert cells == [["two"], ["+0.2500 ± 0.1500"], ["+0.1000 ± 0.1000"]]
    alone = report.differences(kept[:2], [1])
    assert [list(column.cells) for column in alone.columns] == [["two"], ["+0.1000"]]


@pytest.mark.tensorflow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras Tuner asks threads for their names in an old way
def test_keras_tuner_takes_part_as_it_is(grid, pool):
    outcome = run(Job("keras_tuner_random", grid, 0, 30))
    assert len(outcome.regrets) == 30
    assert outcome.regrets[-1] < outcome.regrets[0]
    assert outcome.repeats == 0
    bayesian = run(Job("keras_tuner_bayesian", pool, 0, 8))
    assert len(bayesian.seconds) == 8
    assert bayesian.regrets != run(Job("keras_tuner_bayesian", pool, 1, 8)).regrets


def test_the_drawing_has_a_line_and_a_name_for_each():
    lines = {"one": np.linspace(0.5, 0.1, 50), "two <best>": np.linspace(0.5, 0.02, 50)}
    done = [outcome_of(name, "a", 0, line.tolist()) for name, line in lines.items()]
    drawing = ElementTree.fromstring(plot.plot(done, {"one": "First"}, "trials"))
    kinds = [element.tag.split("}")[1] for element in drawing]
    assert kinds.count("polyline") == 2
    texts = [element.text for element in drawing if element.tag.endswith("text")]
    assert {"First", "two <best>", "trials", "0.1"} <= set(texts)
    first, second = [e for e in drawing if e.tag.endswith("polyline")]
    ends = [float(element.get("points").split(",")[-1]) for element in (first, second)]
    assert ends[0] < ends[1]


def test_the_program_prints_a_table_and_runs_nothing_twice(grid, tmp_path):
    command = [sys.executable, "-m", "benchmarks.search_quality", "--tables", str(tmp_path), "--seeds", "1"]
    command += ["--trials", "25", "--algorithms", "random", "tpe", "--results", str(tmp_path / "results.jsonl")]
    outputs = []
    for _ in range(2):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1]
    assert "Mean normalised regret" in outputs[0]
    assert len((tmp_path / "results.jsonl").read_text().splitlines()) == 2


@pytest.mark.skipif(not TABLES.is_dir(), reason="needs tables of real trainings")
@pytest.mark.parametrize(("algorithm", "most"), [("auto", 0.05), ("tpe", 0.08)])
def test_good_configurations_of_real_networks_are_found_in_a_hundred_trials(algorithm, most):
    paths = sorted(TABLES.glob("fcnet__*.npz"))
    regrets = [run(Job(algorithm, path, seed, 100)).regrets[-1] for path in paths for seed in (0, 1)]
    assert np.mean(regrets) <= most
