"""Commands that meet each other, or the end of the search: each is done or refused, none is lost."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.engine.fakes import FakePool, Play, at_once, budget, ended, epoch
from tests.engine.test_proposing import Host
from tunerstudio.algorithms.errors import AlgorithmError
from tunerstudio.engine import edits
from tunerstudio.engine import session as session_module
from tunerstudio.engine.control import SessionControl
from tunerstudio.engine.edits import carry_out
from tunerstudio.engine.journal import Journal
from tunerstudio.engine.letters import Letterbox
from tunerstudio.protocol.control import (
    EnqueueTrial,
    PauseTrial,
    ReloadStudy,
    ResumeSearch,
    RetryTrial,
    SetBudget,
    SetWorkers,
    StopSearch,
    StopTrialEarly,
)
from tunerstudio.protocol.worker import encode
from tunerstudio.store.lock import is_in_use
from tunerstudio.store.mailbox import post, read
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.files import load_document, save_document
from tunerstudio.study.trials import SessionState


@pytest.fixture
def play(blocks_study):
    def make(**search):
        return Play(blocks_study(search=search))

    return make


class SlowHosts:
    """Algorithms that are made while the search runs come when they are let in; `when_asked` is told of the first."""

    def __init__(self, make):
        self._make, self._let_in = make, threading.Event()
        self.when_asked = lambda: None

    def __call__(self, *arguments):
        tell, self.when_asked = self.when_asked, lambda: None
        tell()
        assert self._let_in.wait(20)
        return self._make(*arguments)

    def let_in(self):
        self._let_in.set()


@pytest.fixture
def slow_hosts(monkeypatch):
    hosts = SlowHosts(session_module.make_host)
    monkeypatch.setattr(session_module, "make_host", hosts)
    yield hosts
    hosts.let_in()


@pytest.fixture
def patience():
    """Ends a search that would go on for ever; call it with the study's folder."""
    timers = []

    def start(folder):
        timers.append(threading.Timer(20.0, lambda: post(folder, StopSearch(when="now"))))
        timers[0].start()

    yield start
    for timer in timers:
        timer.cancel()
        timer.join()


def outcome(play, identity):
    return play.read(lambda reader: reader.command_outcome(identity))


def box_of(play, store):
    return Letterbox(play.folder, Journal(store), SessionControl(), time.time())


def report(worker, message):
    worker._own_end.send_bytes(encode(message))


def states(play):
    return [trial.state.value for trial in play.trials]


def change(folder, **search):
    document = load_document(folder)
    save_document(document.model_copy(update={"search": document.search.model_copy(update=search)}), folder)


def test_a_broken_algorithm_needs_to_be_resumed_once_only(play, patience):
    play = play(budget={"trials": 2})

    def broken(number):
        raise AlgorithmError("mine", "did not answer")

    play.on_session[SessionState.PAUSED] = lambda: post(play.folder, ResumeSearch())
    patience(play.folder)
    result = play(FakePool(), is_interactive=True, host=Host(broken))
    assert result.reason == "budget"
    assert play.states.count(SessionState.PAUSED) == 1


def test_another_budget_does_not_swallow_a_reload(play, slow_hosts):
    play = play(budget={"trials": 2}, retries=0)
    letters = []

    def script(command):
        if command.trial == 1:
            change(play.folder, retries=2)
            slow_hosts.when_asked = lambda: letters.append(post(play.folder, SetBudget(budget=budget(trials=3))))
            letters.append(post(play.folder, ReloadStudy()))
            yield epoch(command, 1, 0.5)
        elif command.trial == 2 and len(pool.commands) == 2:
            yield ended(command, "failed", "no luck")
        else:
            yield from at_once(command)

    def on_log(text):
        if "SetBudget was asked for" in text:
            slow_hosts.let_in()
        if "ReloadStudy was asked for" in text:
            post(play.folder, StopTrialEarly(trial=1))

    play.on_log = on_log
    pool = FakePool(script)
    play(pool)
    assert [outcome(play, letter) for letter in letters] == ["", ""]
    assert states(play) == ["PRUNED", "COMPLETED", "COMPLETED"]
    assert play.trials[1].attempts == 2


@pytest.mark.parametrize("first", [SetBudget(budget=budget(trials=3)), ReloadStudy()])
def test_workers_that_were_asked_for_meanwhile_stay(play, slow_hosts, patience, first):
    play = play(budget={"trials": 3}, workers=1)

    def script(command):
        if command.trial == 1:
            slow_hosts.when_asked = lambda: post(play.folder, SetWorkers(workers=2))
            post(play.folder, first)
            yield epoch(command, 1, 0.5)
        else:
            post(play.folder, StopTrialEarly(trial=1))
            yield from at_once(command)

    play.on_log = lambda text: slow_hosts.let_in() if "SetWorkers was asked for" in text else None
    pool = FakePool(script)
    patience(play.folder)
    assert play(pool).reason == "budget"
    assert len(pool.workers) == 2


def test_workers_that_are_too_many_train_no_waiting_trial(play):
    play = play(budget={"trials": 2}, workers=2)
    side_by_side = []

    def script(command):
        side_by_side.append(sum(1 for t in play.trials if t.state.value == "RUNNING"))
        if command.trial == 1:
            yield epoch(command, 1, 0.5)
        elif command.trial == 2:
            post(play.folder, SetWorkers(workers=1))
            post(play.folder, EnqueueTrial(values={"dense_1_units": 17}))
            yield epoch(command, 1, 0.5)
        else:
            yield from at_once(command)

    def on_log(text):
        if "EnqueueTrial was asked for" in text:
            post(play.folder, StopTrialEarly(trial=2))
        if text.startswith("trial 2 ended"):
            threading.Timer(0.5, lambda: post(play.folder, StopTrialEarly(trial=1))).start()

    play.on_log = on_log
    play(FakePool(script))
    assert side_by_side == [1, 2, 1]


def test_a_reload_that_the_end_of_the_search_overtakes_is_answered(play, slow_hosts):
    play = play(budget={"trials": 1})
    letters = []

    def script(command):
        slow_hosts.when_asked = lambda: post(play.folder, StopSearch(when="now"))
        letters.append(post(play.folder, ReloadStudy()))
        yield epoch(command, 1, 0.5)

    assert play(FakePool(script)).reason == "stopped"
    assert "ended before" in outcome(play, letters[0])


def test_a_refused_reload_loses_no_proposal(play):
    """A proposal on its way is abandoned by it: an algorithm that remembers that would leave it out."""
    play = play(budget={"trials": 3})
    asked, is_refused = [], threading.Event()

    def before(number):
        if number == 2:
            document = load_document(play.folder)
            objective = document.search.objective.model_copy(update={"name": "val_loss", "direction": "min"})
            change(play.folder, objective=objective)
            asked.append(post(play.folder, ReloadStudy()))
            assert is_refused.wait(20)

    play.on_log = lambda text: is_refused.set() if "ReloadStudy was refused" in text else None
    host = Host(before=before)
    play(FakePool(), host=host)
    assert "search.objective" in outcome(play, asked[0])
    assert states(play) == ["COMPLETED"] * 3
    assert list(host.seen) == [1, 2]  # another one, made from the store, goes on


def test_the_strongest_wish_for_a_running_trial_holds(play):
    play = play(budget={"trials": 1})

    def script(command):
        if command.trial > 1:
            yield from at_once(command)
            return
        yield epoch(command, 1, 0.5)
        post(play.folder, PauseTrial(trial=1))
        post(play.folder, StopTrialEarly(trial=1))

    play(FakePool(script))
    assert states(play) == ["PRUNED"]


def test_workers_of_a_paused_search_leave_its_reason_alone(play):
    play = play(budget={"trials": 2}, max_consecutive_failures=1)
    records = []

    def script(command):
        if command.trial == 1:
            yield ended(command, "failed", "no luck")
        else:
            yield from at_once(command)

    def on_log(text):
        if "SetWorkers was asked for" in text:
            records.append(play.read(lambda reader: reader.session()))
            post(play.folder, ResumeSearch())

    play.on_log = on_log
    play.on_session[SessionState.PAUSED] = lambda: post(play.folder, SetWorkers(workers=2))
    play(FakePool(script), is_interactive=True)
    assert records[0].workers == 2
    assert records[0].reason == "failures"
    assert "no luck" in records[0].message


def test_trials_that_ended_early_between_failures_break_the_row(play):
    play = play(budget={"trials": 5}, max_consecutive_failures=2)

    def script(command):
        if command.trial % 2:
            yield ended(command, "failed", "no luck")
        else:
            yield epoch(command, 1, 0.5)
            post(play.folder, StopTrialEarly(trial=command.trial))

    assert play(FakePool(script)).reason == "budget"
    assert states(play) == ["FAILED", "PRUNED", "FAILED", "PRUNED", "FAILED"]


def test_a_command_that_comes_too_late_is_refused(play):
    play = play(budget={"trials": 1})
    letters = []

    def script(command):
        yield from at_once(command)
        letters.append(post(play.folder, EnqueueTrial(values={})))

    play(FakePool(script))
    assert outcome(play, letters[0]) is not None


def test_a_command_outlives_a_program_that_was_killed_before_it_was_done(play):
    play = play(budget={"trials": 1})
    letter = post(play.folder, EnqueueTrial(values={"dense_1_units": 17}))

    box = play.folder / "commands"
    with StudyWriter(play.folder) as store:
        assert [waiting.id for waiting in box_of(play, store).take()] == [letter]
    assert [path.stem for path in box.iterdir()] == [letter]
    play(FakePool())
    assert outcome(play, letter) == ""
    assert list(box.iterdir()) == []
    assert [trial.origin for trial in play.trials].count("user") == 1


def test_a_command_that_was_begun_is_not_done_twice(play):
    play = play(budget={"trials": 1})
    letter = post(play.folder, EnqueueTrial(values={"dense_1_units": 17}))
    with StudyWriter(play.folder) as store:
        letters = box_of(play, store)
        letters.begin(letters.take()[0])
    assert outcome(play, letter) is None
    play(FakePool())
    assert "look whether it was" in outcome(play, letter)
    assert [trial.origin for trial in play.trials] == [""]
    assert list((play.folder / "commands").iterdir()) == []


def test_a_command_whose_file_stayed_behind_its_answer_is_not_done_twice(play):
    play = play(budget={"trials": 1})
    letter = post(play.folder, EnqueueTrial(values={"dense_1_units": 17}))
    with StudyWriter(play.folder) as store:
        store.put_command(letter, "{}", "")
    play(FakePool())
    assert outcome(play, letter) == ""
    assert [trial.origin for trial in play.trials] == [""]
    assert list((play.folder / "commands").iterdir()) == []


def test_values_that_the_space_no_longer_allows_are_not_tried_again(play):
    play = play(budget={"trials": 1})
    play(FakePool(lambda command: iter([ended(command, "failed", "no luck")])))
    path = play.folder / "study.yaml"
    text = path.read_text()
    assert "min: 2" in text
    units = play.trials[0].values["dense_1_units"]
    path.write_text(text.replace("min: 2", f"min: {units + 1}").replace("max: 40", "max: 99"))
    refused = carry_out(play.folder, RetryTrial(trial=1)).outcome
    assert "does not allow the values of trial 1" in refused
    assert len(play.trials) == 1
    path.write_text(text)
    assert carry_out(play.folder, RetryTrial(trial=1)).outcome == ""


def test_a_trial_that_fails_before_its_pause_is_paused(play):
    play = play(budget={"trials": 1}, retries=1)

    def script(command):
        if command.trial == 1 and len(pool.commands) == 1:
            yield epoch(command, 1, 0.5)
            post(play.folder, PauseTrial(trial=1))
        else:
            yield from at_once(command)

    def on_log(text):
        if "PauseTrial was asked for" in text:
            report(pool.workers[0], ended(pool.commands[0], "failed", "no luck"))

    play.on_log = on_log
    pool = FakePool(script, obeys=False)
    result = play(pool)
    assert "1 paused trial remains" in result.message
    assert states(play)[0] == "PAUSED"


def test_a_program_that_only_writes_something_down_is_waited_for(play, monkeypatch):
    play = play()
    looked = threading.Event()

    def looking(folder):
        looked.set()
        return is_in_use(folder)

    monkeypatch.setattr(edits, "is_in_use", looking)
    monkeypatch.setattr(edits, "PATIENCE_S", 60.0)
    with ThreadPoolExecutor(1) as others:
        with StudyWriter(play.folder):
            carried = others.submit(carry_out, play.folder, EnqueueTrial(values={}))
            assert looked.wait(20)
        assert carried.result(60).outcome == ""
    assert states(play) == ["QUEUED"]


def test_a_program_that_never_searches_is_left_a_letter(play, monkeypatch):
    play = play()
    monkeypatch.setattr(edits, "PATIENCE_S", 0.0)
    with StudyWriter(play.folder):
        carried = carry_out(play.folder, EnqueueTrial(values={}))
    assert carried.outcome is None
    assert [letter.id for letter in read(play.folder)] == [carried.id]
