import threading

import numpy as np
import pytest

from tunerstudio.algorithms.api import Finished, Proposal, Wait
from tunerstudio.algorithms.conformance import CONTINUOUS, HUNDRED
from tunerstudio.algorithms.discovery import get, inspect_folder
from tunerstudio.algorithms.errors import AlgorithmError
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.study.errors import StudyError
from tunerstudio.study.search import Objective
from tunerstudio.study.trials import Trial, TrialState

RUNNING = Trial(1, TrialState.RUNNING, {"a": 1, "b": 0.0})


def host_of(folder, space=HUNDRED, time_limit_s=30.0, options=None, seed=0, epochs=10) -> AlgorithmHost:
    info = inspect_folder(folder)
    assert info.usable, info.problems
    return AlgorithmHost(info.manifest, space, Objective(), seed, 20, epochs, options, time_limit_s)


def proposing(answer: str) -> str:
    return (
        f"from tunerstudio.algorithms.api import *\ndef propose(space, history, rng, options):\n    return {answer}\n"
    )


def test_values_may_be_answered_plainly(write_plugin):
    answer = host_of(write_plugin(proposing("{'a': 3, 'b': 0.3}"))).next([], 1)
    assert answer == Proposal({"a": 3, "b": 0.3})


def test_illegal_values_are_repaired_and_noted(write_plugin):
    host = host_of(write_plugin(proposing("{'a': 77, 'c': 1, 'b': 0.5}")))
    assert host.next([], 1).values == {"a": 10, "b": 0.5}
    notes = host.take_notes()
    assert len(notes) == 2
    assert "a = 77 is not one of 1 … 10; took 10" in notes[1]
    assert host.take_notes() == []


def test_repetition_is_replaced_by_an_untried_neighbour(write_plugin):
    host = host_of(write_plugin(proposing("{'a': 1, 'b': 0.0}")))
    answer = host.next([RUNNING], 2)
    assert answer.values in ({"a": 2, "b": 0.0}, {"a": 1, "b": 0.1})
    assert "tried before" in answer.reason


def test_promotions_may_repeat(write_plugin):
    host = host_of(write_plugin(proposing("Proposal({'a': 1, 'b': 0.0}, repeats=True, parent=1, epochs=99)")))
    answer = host.next([RUNNING], 2)
    assert (answer.values, answer.parent, answer.epochs) == ({"a": 1, "b": 0.0}, 1, 10)
    assert "asked for 99 epochs; took 10" in host.take_notes()[0]
    assert host.next([], 1).parent is None


def test_exhausted_space_is_finished_without_asking(write_plugin):
    host = host_of(write_plugin(proposing("1 / 0")))
    trials = [Trial(n, TrialState.FAILED, values) for n, values in enumerate(HUNDRED.all_values(), 1)]
    assert host.next(trials, 101) == Finished("all 100 configurations have been tried")


def test_random_numbers_depend_on_seed_and_number_alone(write_plugin):
    folder = write_plugin(proposing("{'a': float(rng.random()), 'b': 1e-4 + float(rng.random()) / 2}"))
    first = [host_of(folder, CONTINUOUS, seed=seed).next([], number).values for seed in (0, 1) for number in (1, 2)]
    again = [host_of(folder, CONTINUOUS, seed=seed).next([], number).values for seed in (0, 1) for number in (1, 2)]
    assert first == again
    assert len({values["a"] for values in first}) == 4
    expected = np.random.default_rng(np.random.SeedSequence([0, 1])).random()
    assert first[0]["a"] == expected


def test_failed_and_pending_trials_are_shown(write_plugin):
    code = (
        "def propose(space, history, rng, options):\n"
        "    return {'a': 1 + len(history.failed()) + 2 * len(history.pending()), 'b': 0.9}\n"
    )
    trials = [RUNNING, Trial(2, TrialState.FAILED, {"a": 2, "b": 0.0})]
    assert host_of(write_plugin(code)).next(trials, 3).values["a"] == 4


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise ValueError('no luck')", "could not be loaded from .*: ValueError: no luck"),
        ("import sys; sys.exit(3)", "could not be loaded from .*: SystemExit: 3"),
        ("def propose(: pass", "could not be loaded from .*: SyntaxError"),
        ("x = 1", r"has no function propose\(\) in mine.py"),
    ],
)
def test_plugin_that_cannot_be_loaded(write_plugin, code, message):
    with pytest.raises(AlgorithmError, match=f"The search algorithm 'mine' {message}"):
        host_of(write_plugin(code))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("1 / 0", "raised ZeroDivisionError when it proposed a trial: division by zero"),
        ("exit(1)", "tried to end the program when it proposed a trial"),
        ("42", "answered 42; values, a Proposal, Wait or Finished are needed"),
        ("Wait()", "waits for a trial to end, but none is running or queued"),
    ],
)
def test_plugin_that_misbehaves_when_asked(write_plugin, answer, message):
    with pytest.raises(AlgorithmError, match=message):
        host_of(write_plugin(proposing(answer))).next([], 1)


def test_error_holds_the_traceback_for_the_log(write_plugin):
    with pytest.raises(AlgorithmError) as caught:
        host_of(write_plugin(proposing("1 / 0"))).next([], 1)
    assert "mine.py" in caught.value.details
    assert caught.value.algorithm == "mine"


def test_waiting_for_a_pending_trial_is_fine(write_plugin):
    assert host_of(write_plugin(proposing("Wait()"))).next([RUNNING], 2) == Wait()


def test_hang_is_noticed_and_the_algorithm_not_asked_again(write_plugin):
    release = threading.Event()
    folder = write_plugin("def propose(space, history, rng, options):\n    options['gate'].wait()\n    return {}\n")
    host = host_of(folder, time_limit_s=0.2)
    host._options["gate"] = release  # type: ignore[assignment]
    try:
        with pytest.raises(AlgorithmError, match=r"did not answer within 0.2 seconds when it proposed a trial"):
            host.next([], 1)
        with pytest.raises(AlgorithmError, match="has hung before"):
            host.next([], 1)
    finally:
        release.set()
        for thread in threading.enumerate():
            if thread.name == "algorithm mine":
                thread.join(10)


def test_wrong_options_are_study_errors():
    with pytest.raises(StudyError, match=r"search.algorithm.options.points: must be at least 2, not 1"):
        AlgorithmHost(get("grid").manifest, HUNDRED, Objective(), 0, 10, 10, {"points": 1})


def test_plugins_may_have_several_modules_and_are_read_afresh(write_plugin):
    folder = write_plugin("from .helper import VALUE\ndef propose(s, h, r, o): return {'a': VALUE, 'b': 0.0}\n")
    (folder / "helper.py").write_text("VALUE = 4\n")
    assert host_of(folder).next([], 1).values["a"] == 4
    (folder / "helper.py").write_text("VALUE = 10 - 4  # longer, so that no cache is taken for it\n")
    assert host_of(folder).next([], 1).values["a"] == 6


def test_total_is_asked_of_the_algorithm(write_plugin):
    assert host_of(write_plugin(proposing("{}"))).total_trials() is None
    counted = proposing("{}") + "def total_trials(space, max_epochs, options): return max_epochs * 2\n"
    assert host_of(write_plugin(counted)).total_trials() == 20
    wrong = proposing("{}") + "def total_trials(space, max_epochs, options): return 'many'\n"
    with pytest.raises(AlgorithmError, match="counted 'many' trials"):
        host_of(write_plugin(wrong)).total_trials()


def test_pure_algorithms_have_no_state():
    host = AlgorithmHost(get("random").manifest, HUNDRED, Objective(), 0, 10, 10)
    assert host.state() is None
    host.restore(None, [RUNNING])


def test_libraries_of_a_plugin_calculate_on_one_thread(write_plugin):
    """OpenBLAS has one limit for the process, OpenMP (scikit-learn, PyTorch) one for each thread."""
    pools = "{pool['filepath']: pool['num_threads'] for pool in threadpoolctl.threadpool_info()}"
    code = f"import sklearn.cluster, threadpoolctl\n{proposing(f'Proposal(random_values(space, rng), tags={pools})')}"
    found = host_of(write_plugin(code)).next([], 1).tags
    assert any("omp" in name for name in found)
    assert set(found.values()) == {1}
