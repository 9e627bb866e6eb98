"""Proposals are computed beside the training; a search on one worker is not changed by that."""

import threading

import pytest

from tests.engine.fakes import FakePool, Play, at_once, epoch
from tunerstudio.algorithms.api import Finished, Proposal, Wait
from tunerstudio.algorithms.errors import AlgorithmError
from tunerstudio.protocol.control import EnqueueTrial, PauseSearch, ResumeSearch, SetWorkers
from tunerstudio.protocol.worker import TrialEnded, encode
from tunerstudio.store.mailbox import post
from tunerstudio.study.files import load_document, save_document
from tunerstudio.study.search import AlgorithmChoice
from tunerstudio.study.trials import SessionState, TrialState


class Host:
    """An algorithm that remembers what it was shown."""

    pruner = None
    released = None

    def __init__(self, answer=lambda number: Proposal({"dense_1_units": 1 + number}), before=lambda number: None):
        self.seen, self._answer, self._before = {}, answer, before

    def next(self, trials, number):
        self._before(number)
        self.seen[number] = {trial.number: trial.state for trial in trials}
        return self._answer(number)

    def state(self):
        return f"after {max(self.seen)}"

    def restore(self, state, trials):
        pass

    def take_notes(self):
        return []

    def total_trials(self):
        return None

    def refusal(self, trial):
        return None


@pytest.fixture
def play(blocks_study):
    def make(**search):
        return Play(blocks_study(search=search))

    return make


def test_one_worker_proposes_with_every_result_known(play):
    play, host = play(budget={"trials": 4}, workers=1), Host()
    play(FakePool(), host=host)
    done = TrialState.COMPLETED
    assert host.seen == {1: {}, 2: {1: done}, 3: {1: done, 2: done}, 4: {1: done, 2: done, 3: done}}


def test_a_slow_proposal_does_not_hold_up_what_runs(play):
    play = play(budget={"trials": 3}, workers=2)
    heard = threading.Event()

    def before(number):
        if number == 3:
            assert heard.wait(20)

    def script(command):
        yield epoch(command, 1, 0.5)
        if command.trial == 2:
            yield from at_once(command)
        if command.trial == 3:
            yield from at_once(command)
            first = next(worker for worker in pool.workers if worker.trials[0].trial == 1)
            first.script = at_once
            first._own_end.send_bytes(last_words)

    last_words = encode(TrialEnded(trial=1, outcome="failed", message="enough"))
    play.on_trial = lambda trial: heard.set() if trial.number == 2 and trial.state is TrialState.COMPLETED else None
    pool = FakePool(script)
    play(pool, host=Host(before=before))
    assert [trial.state.value for trial in play.trials] == ["FAILED", "COMPLETED", "COMPLETED"]


def test_a_search_says_what_it_waits_for_until_it_is_there(play, monkeypatch):
    monkeypatch.setattr("tunerstudio.engine.scheduling.SLOW_S", 0.02)
    play = play(budget={"trials": 2}, workers=1)
    said = threading.Event()
    play.on_log = lambda text: said.set() if "has been thinking about trial 2 for more than" in text else None
    host = Host(before=lambda number: said.wait(20) if number == 2 else None)
    assert play(FakePool(), host=host).reason == "budget"
    assert said.is_set()
    assert "thinking" not in play.read(lambda reader: reader.session()).message


def test_an_algorithm_knows_how_many_trials_run_side_by_side(play):
    play, host = play(budget={"trials": 2}, workers=3), Host()
    post(play.folder, SetWorkers(workers=2))
    play(FakePool(), host=host)
    assert host.slots == 2


def test_weights_go_when_the_algorithm_releases_them(play):
    def answer(number):
        host.released = frozenset(range(1, number - 1))
        return Proposal({"dense_1_units": 1 + number}, epochs=1) if number < 5 else Finished("enough")

    play = play(budget={"trials": 9}, workers=1, checkpoints={"keep_top": 1}, algorithm={"id": "hyperband"})
    host = Host(answer)
    host.released = frozenset()
    assert play(FakePool(), host=host).reason == "exhausted"
    best = min(play.trials, key=lambda trial: (-trial.score, trial.number))
    kept = {int(path.name) for path in (play.folder / "trials").iterdir()}
    assert kept == {best.number, 4}  # the last one is not released


def test_with_several_workers_a_slow_algorithm_is_asked_ahead(play, monkeypatch):
    monkeypatch.setattr("tunerstudio.engine.scheduling.AHEAD_ABOVE_S", -1.0)
    play, host = play(budget={"trials": 5}, workers=2), Host()

    def script(command):
        yield epoch(command, 1, 0.5)
        waiting.append(command)
        if command.trial == 2:
            play.on_trial = release

    def release(trial):
        if trial.number == 3 and trial.state is TrialState.QUEUED:
            asked_ahead.append(host.seen[3])
            play.on_trial = lambda trial: None
            play.control.request_stop("now")

    waiting, asked_ahead = [], []
    play(FakePool(script), host=host)
    assert asked_ahead == [{1: TrialState.RUNNING, 2: TrialState.RUNNING}]
    assert [trial.state.value for trial in play.trials] == ["QUEUED"] * 3
    assert play.read(lambda reader: reader.meta("algorithm_state")) == "after 3"


def test_an_own_trial_does_not_take_the_number_of_a_proposal(play):
    play = play(budget={"trials": 2})
    queued = threading.Event()
    play.on_trial = lambda trial: queued.set() if trial.origin == "user" else None

    def before(number):
        if number == 1:
            post(play.folder, EnqueueTrial(values={"dense_1_units": 33}))
            assert queued.wait(20)

    host = Host(before=before)
    play(FakePool(), host=host)
    assert [trial.number for trial in play.trials] == [1, 2]
    assert [trial.origin for trial in play.trials] == ["", "user"]
    assert play.trials[0].values["dense_1_units"] == 2


def test_waiting_and_finished_algorithms_end_the_search(play):
    play = play(budget={"trials": 9})
    answers = {3: Wait(), 4: Finished("all tried")}
    ask = lambda number: answers.get(number, Proposal({"dense_1_units": 1 + number}))  # noqa: E731
    result = play(FakePool(), host=Host(ask))
    assert result.reason == "exhausted"
    assert len(play.trials) == 2


def test_a_broken_algorithm_ends_the_search_with_its_sentence(play):
    def broken(number):
        raise AlgorithmError("mine", "did not answer")

    result = play(budget={"trials": 9})(FakePool(), host=Host(broken))
    assert result.reason == "plugin"
    assert "did not answer" in result.message


def test_in_place_of_a_broken_algorithm_the_study_may_name_another_one(play):
    def broken(number):
        raise AlgorithmError("mine", "did not answer")

    def choose_another():
        document = load_document(play.folder)
        search = document.search.model_copy(update={"algorithm": AlgorithmChoice(id="grid")})
        save_document(document.model_copy(update={"search": search}), play.folder)
        post(play.folder, ResumeSearch())

    play = play(budget={"trials": 2})
    play.on_session[SessionState.PAUSED] = choose_another
    result = play(FakePool(), host=Host(broken), is_interactive=True)
    assert result.reason == "budget"
    assert [trial.state.value for trial in play.trials] == ["COMPLETED", "COMPLETED"]
    assert SessionState.PAUSED in play.states
    assert [trial.values for trial in play.trials] == [{"dense_1_units": 2}, {"dense_1_units": 3}]


def test_a_pause_keeps_a_proposal_that_was_on_its_way(play):
    play = play(budget={"trials": 1})

    def before(number):
        if not paused:
            paused.append(post(play.folder, PauseSearch()))
            assert is_paused.wait(20)

    def resume():
        is_paused.set()
        post(play.folder, ResumeSearch())

    paused, is_paused = [], threading.Event()
    play.on_session[SessionState.PAUSED] = resume
    host = Host(before=before)
    play(FakePool(), host=host)
    assert list(host.seen) == [1]
    assert [trial.state.value for trial in play.trials] == ["COMPLETED"]
