"""Each way in which a plugin can be broken: a sentence that says so, and everything else goes on."""

import sys
import threading
import time

import pytest

from tunerstudio.algorithms.conformance import HUNDRED
from tunerstudio.algorithms.discovery import find_algorithms, get, inspect_folder
from tunerstudio.algorithms.errors import AlgorithmError
from tunerstudio.algorithms.guard import Guard
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.study.errors import StudyError
from tunerstudio.study.search import Objective
from tunerstudio.study.trials import Trial, TrialState

PROPOSE = "def propose(space, history, rng, options):\n    "

LOADING = {
    "raises on import": ("raise OSError('no licence file')\n", "could not be loaded from .*: OSError: no licence file"),
    "exits on import": ("import sys\nsys.exit('bye')\n", "could not be loaded from .*: SystemExit: bye"),
    "imports what is missing": ("import no_such_thing\n", "ModuleNotFoundError: No module named 'no_such_thing'"),
    "is no Python": ("def propose(:\n", "could not be loaded from .*: SyntaxError"),
    "lacks its function": ("x = 1\n", r"has no function propose\(\) in mine.py"),
}

ASKING = {
    "raises": (PROPOSE + "raise KeyError('units')\n", "raised KeyError when it proposed a trial: 'units'"),
    "exits": ("import sys\n" + PROPOSE + "sys.exit(0)\n", "tried to end the program when it proposed a trial"),
    "is interrupted": (PROPOSE + "raise KeyboardInterrupt\n", "raised KeyboardInterrupt when it proposed a trial"),
    "answers nonsense": (PROPOSE + "return [1, 2]\n", r"answered \[1, 2\]; values, a Proposal, Wait or Finished"),
    "answers nothing": (PROPOSE + "pass\n", "answered None; values, a Proposal"),
    "hangs": (PROPOSE + "while True: pass\n", "did not answer within 0.3 seconds when it proposed a trial"),
}


def host_of(folder, time_limit_s=0.3) -> AlgorithmHost:
    manifest = inspect_folder(folder).manifest
    return AlgorithmHost(manifest, HUNDRED, Objective(), 0, 10, 10, time_limit_s=time_limit_s)


def is_healthy() -> bool:
    """Whether another plugin works in the same process."""
    host = AlgorithmHost(get("random").manifest, HUNDRED, Objective(), 0, 10, 10)
    return bool(host.next([], 1).values)


@pytest.mark.parametrize("name", LOADING)
def test_a_plugin_that_cannot_be_loaded(write_plugin, name):
    code, message = LOADING[name]
    with pytest.raises(AlgorithmError, match=message):
        host_of(write_plugin(code), time_limit_s=30)
    assert is_healthy()
    assert not [module for module in sys.modules if module.startswith("tunerstudio_plugin_mine.")]


@pytest.mark.parametrize("name", ASKING)
def test_a_plugin_that_misbehaves_when_it_is_asked(write_plugin, name):
    code, message = ASKING[name]
    with pytest.raises(AlgorithmError, match=message):
        host_of(write_plugin(code)).next([], 1)
    assert is_healthy()


def test_illegal_values_are_made_legal_and_told(write_plugin):
    host = host_of(write_plugin(PROPOSE + "return {'a': 100, 'c': 3}\n"), time_limit_s=30)
    values = host.next([], 1).values
    assert HUNDRED.problems(values) == []
    assert values["a"] == HUNDRED["a"].max
    notes = host.take_notes()
    assert len(notes) == 3
    assert all(note.startswith("The search algorithm 'mine' proposed illegal values: ") for note in notes)


def test_values_that_no_legal_one_is_near_to_are_refused(write_plugin):
    host = host_of(write_plugin(PROPOSE + "return {'a': 'many', 'b': float('nan')}\n"), time_limit_s=30)
    with pytest.raises(AlgorithmError, match=r"proposed illegal values: a = 'many' is not one of .*; b = nan is not"):
        host.next([], 1)
    assert is_healthy()


def test_what_is_illegal_in_every_trial_is_told_three_times(write_plugin):
    host = host_of(write_plugin(PROPOSE + "return {'a': len(history.trials) + 1, 'b': 0.1, 'c': 3}\n"))
    trials = []
    for number in range(1, 8):
        trials.append(Trial(number=number, values=host.next(trials, number).values, state=TrialState.QUEUED))
    notes = host.take_notes()
    assert len(notes) == 3
    assert notes[0].endswith("'c' is not a hyperparameter of this study.")
    assert notes[2].endswith("further ones of 'c' are repaired without a word.")


def test_a_bad_manifest_and_a_missing_package_are_one_row_each(tmp_path, monkeypatch, write_plugin):
    monkeypatch.setenv("TUNERSTUDIO_HOME", str(tmp_path / "home"))
    plugins = tmp_path / "home" / "plugins"
    (plugins / "bad").mkdir(parents=True)
    (plugins / "bad" / "MANIFEST.toml").write_text('id = "Bad"\nkind = "propse"\napi = 7\nmodule = "bad"\n')
    write_plugin("raise RuntimeError", more='needs = ["no_such_package_xyz"]').rename(plugins / "mine")
    rows = {info.id: info for info in find_algorithms()}
    assert len(rows["bad"].problems) >= 6  # all at once
    assert any("propse" in problem for problem in rows["bad"].problems)
    assert rows["mine"].problems == ("needs: the Python package 'no_such_package_xyz' is not installed",)
    with pytest.raises(StudyError, match="cannot be used: needs: the Python package 'no_such_package_xyz'"):
        get("mine")
    assert rows["random"].usable


@pytest.mark.parametrize(
    "loop",
    [
        "while True: pass",
        "while True:\n        try:\n            sum(range(1000))\n        except Exception:\n            pass",
        "import time\n    while True: time.sleep(0.01)",
    ],
)
def test_a_loop_without_end_is_ended(write_plugin, loop):
    folder = write_plugin(PROPOSE + loop + "\n")
    with pytest.raises(AlgorithmError, match="did not answer within"):
        host_of(folder).next([], 1)
    deadline = time.monotonic() + 10
    for thread in threading.enumerate():
        if thread.name == "algorithm mine":
            thread.join(deadline - time.monotonic())
            assert not thread.is_alive()


def test_a_call_that_blocks_is_left_alone_and_refused_from_then_on():
    gate = threading.Event()
    guard = Guard("mine", 0.1)
    try:
        with pytest.raises(AlgorithmError, match=r"did not answer within 0.1 seconds when it waited"):
            guard.call(gate.wait, "waited")
        with pytest.raises(AlgorithmError, match="has hung before and cannot go on; start the search again"):
            guard.call(lambda: 1, "was asked again")
    finally:
        gate.set()
        for thread in threading.enumerate():
            if thread.name == "algorithm mine":
                thread.join(10)
