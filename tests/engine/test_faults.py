"""What can go wrong in a weekend, on the real engine: each costs one trial, or pauses the search with a sentence.

Memory, endless loops and time limits are in `test_real_control.py`, full disks without a real one in `test_disk.py`,
damaged databases in `tests/store`.
"""

import os
import shutil
import subprocess
import time

import pytest

from tests.engine.reading import epochs_of, trials_of
from tunerstudio.locations import user_plugins_folder
from tunerstudio.store.schema import StoreError
from tunerstudio.study.errors import TunerStudioError
from tunerstudio.study.trials import TrialState
from tunerstudio.study.trust import trust

pytestmark = pytest.mark.tensorflow

FIT = """
import keras
import keras_tuner

class Mine(keras_tuner.HyperModel):
    def build(self, hp):
        hp.Float("a", 0.0, 1.0)
        model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
        model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def fit(self, hp, model, *args, **kwargs):
        if hp.get("a") > 0.5:
            raise RuntimeError("the sensor is not there")
        return model.fit(*args, **kwargs)
"""


def bad_and_good(folder):
    trials = trials_of(folder)
    bad = [trial for trial in trials if trial.values["a"] > 0.5]
    good = [trial for trial in trials if trial.values["a"] <= 0.5]
    assert bad
    assert good
    assert {trial.state for trial in good} == {TrialState.COMPLETED}
    return bad


@pytest.mark.parametrize(
    ("misbehave", "message"),
    [
        ("import ctypes; a > 0.5 and ctypes.string_at(0)", "segmentation fault"),
        ("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); assert a <= 0.5, 'too large'", "too large"),
        ("print('x' * 100_000_000) if a > 0.5 else None; assert a <= 0.5, 'said enough'", "said enough"),
    ],
    ids=["segfault in C", "ignores terminate", "floods its output"],
)
def test_code_that_misbehaves_costs_its_trial(run, code_study, misbehave, message):
    folder = code_study(misbehave, search={"budget": {"trials": 5}, "seed": 4})
    run(folder)
    for trial in bad_and_good(folder):
        assert trial.state is TrialState.FAILED
        assert message in trial.message


def test_an_exception_in_fit_names_the_users_own_line(run, blocks_study):
    folder = blocks_study(model={"kind": "code", "file": "model.py"}, search={"budget": {"trials": 5}, "seed": 4})
    (folder / "model.py").write_text(FIT)
    trust(folder)
    run(folder)
    for trial in bad_and_good(folder):
        assert trial.state is TrialState.FAILED
        assert "the sensor is not there" in trial.message
        assert "model.py" in trial.message + trial.details


def test_an_infinite_loss_is_a_failure_with_its_epoch(run, code_study):
    body = """
    if a > 0.5:
        model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
        infinite = lambda y, p: keras.ops.mean(p) * float("inf")
        model.compile(optimizer="sgd", loss=infinite, metrics=["accuracy"])
        return model
"""
    folder = code_study(body, search={"budget": {"trials": 5}, "seed": 4})
    run(folder)
    for trial in bad_and_good(folder):
        assert trial.state is TrialState.FAILED
        assert trial.score is None
        assert "epoch 1" in trial.message


MANIFEST = """
id = "moody"
name = "Moody"
description = "Raises after two trials."
version = "1.0"
api = 1
kind = "propose"
module = "moody"
capabilities = ["conditional", "continuous", "parallel"]
"""


def test_an_algorithm_that_raises_loses_no_trial(run, blocks_study, engine):
    plugin = user_plugins_folder() / "moody"
    plugin.mkdir(parents=True)
    (plugin / "MANIFEST.toml").write_text(MANIFEST)
    (plugin / "moody.py").write_text(
        "from tunerstudio.algorithms.api import random_values\n\n"
        "def propose(space, history, rng, options):\n"
        "    if len(history.trials) >= 2:\n"
        "        raise ValueError('out of ideas')\n"
        "    return random_values(space, rng)\n"
    )
    folder = blocks_study(search={"algorithm": {"id": "moody"}, "budget": {"trials": 5}})
    result = run(folder)
    assert "moody" in result.message
    assert "out of ideas" in result.message
    assert [trial.state for trial in trials_of(folder)] == [TrialState.COMPLETED] * 2
    shutil.rmtree(plugin)


def test_a_clock_that_jumps_changes_no_result(run, blocks_study, monkeypatch):
    """The clock of the engine goes back by a day after the first trial, as after a change of the time zone."""
    whole = blocks_study("whole")
    run(whole)
    jumped = blocks_study("jumped", search={"budget": {"trials": 3, "time_limit_s": 600}})
    real = time.time
    run.on_trial = lambda trial: (
        trial.state is TrialState.COMPLETED and monkeypatch.setattr(time, "time", lambda: real() - 86_400)
    )
    try:
        assert run(jumped).reason == "budget"
    finally:
        run.on_trial = None
    assert [(t.values, t.score) for t in trials_of(jumped)] == [(t.values, t.score) for t in trials_of(whole)]
    assert all(0 <= trial.duration_s < 600 for trial in trials_of(jumped))


@pytest.fixture
def small_disk(tmp_path):
    """A real disk of a few megabytes; needs the right to mount one."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("no right to mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_loses_nothing_and_the_search_goes_on_when_there_is_space(run, blocks_study, small_disk):
    folder = blocks_study(search={"budget": {"trials": 12}})
    shutil.copytree(folder, small_disk / "study")
    study, ballast = small_disk / "study", small_disk / "ballast"

    def fill(trial):
        if trial.number == 3 and trial.state is TrialState.COMPLETED and not ballast.exists():
            free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
            ballast.write_bytes(b"x" * max(free - 20_000, 0))

    run.on_trial = fill
    try:
        ended = _outcome(lambda: run(study))
    finally:
        run.on_trial = None
    assert "disk" in ended or "space" in ended
    ballast.unlink()
    completed = [trial.number for trial in trials_of(study) if trial.state is TrialState.COMPLETED]
    assert {1, 2, 3} <= set(completed)
    assert not any(trial.state is TrialState.RUNNING for trial in trials_of(study))
    assert run(study).reason == "budget"
    assert len([t for t in trials_of(study) if t.state is TrialState.COMPLETED]) == 12


def _outcome(search):
    """How a search ended, in words: by its result, or by an error for people."""
    try:
        return search().message
    except TunerStudioError as error:
        return str(error)


def test_a_read_only_folder_is_told_before_the_first_trial(run, blocks_study, tmp_path):
    folder = blocks_study()
    place = tmp_path / "read-only"
    place.mkdir()
    bound = shutil.which("mount") and subprocess.run(
        ["mount", "--bind", str(folder), str(place)], capture_output=True, check=False
    )
    if not bound or bound.returncode:
        pytest.skip("no right to mount a folder")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(place)], check=True)
        with pytest.raises((StoreError, TunerStudioError), match="cannot be written to"):
            run(place)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_database_that_was_cut_is_told_and_the_models_stay(run, blocks_study):
    folder = blocks_study()
    run(folder)
    before = epochs_of(folder, 1)
    assert before
    database = folder / "study.db"
    content = database.read_bytes()
    database.write_bytes(content[: len(content) // 3])
    with pytest.raises(StoreError, match="damaged"):
        run(folder)
