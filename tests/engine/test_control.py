"""What a session does when it is commanded: pauses, stops, edits, changes of plan. Workers play scripts."""

import threading
import time

import pytest

from tests.engine.fakes import (
    DIES,
    FakePool,
    Play,
    at_once,
    budget,
    ended,
    epoch,
    for_ever,
    resumed,
    scored,
    used,
)
from tunerstudio.engine.crew import Recycling
from tunerstudio.engine.edits import carry_out
from tunerstudio.engine.executors.local import WorkerDiedError
from tunerstudio.engine.trainer import Trainer
from tunerstudio.protocol.control import (
    EnqueueTrial,
    PauseSearch,
    PauseTrial,
    ReloadStudy,
    ResumeSearch,
    ResumeTrial,
    RetryTrial,
    SetBudget,
    SetNote,
    SetWorkers,
    SkipTrial,
    StopSearch,
    StopTrialEarly,
)
from tunerstudio.store.mailbox import post
from tunerstudio.study.files import load_document, save_document
from tunerstudio.study.trials import SessionState, TrialState


@pytest.fixture
def play(blocks_study):
    def make(**search):
        return Play(blocks_study(search=search))

    return make


def states(play):
    return [trial.state.value for trial in play.trials]


def outcome(play, identity):
    return play.read(lambda reader: reader.command_outcome(identity))


def test_a_paused_search_waits_and_goes_on_where_it_was(play):
    play = play(budget={"trials": 2})

    def script(command):
        if len(pool.commands) == 1:
            yield epoch(command, 1, 0.3)
            yield epoch(command, 2, 0.4)
            post(play.folder, PauseSearch())
        else:
            if command.trial == 1:
                yield resumed(command, [0.3])
                yield epoch(command, 2, 0.4)
            yield scored(command, 0.5)
            yield ended(command)

    pool = FakePool(script)
    play.on_session[SessionState.PAUSED] = lambda: post(play.folder, ResumeSearch())
    assert play(pool).reason == "budget"
    assert [command.trial for command in pool.commands] == [1, 1, 2]
    assert states(play) == ["COMPLETED", "COMPLETED"]
    assert [e.epoch for e in play.read(lambda reader: reader.epochs(1))] == [1, 2]
    wanted = [SessionState.RUNNING, SessionState.PAUSING, SessionState.PAUSED, SessionState.RUNNING, SessionState.ENDED]
    assert play.states == wanted
    attempts = play.read(lambda reader: reader.attempts(1))
    assert [attempt.outcome for attempt in attempts] == ["stopped", "completed"]
    assert play.read(lambda reader: reader.session()).reason == "budget"


def test_a_stop_that_was_meant_for_an_earlier_session_is_refused(play, monkeypatch):
    play = play(budget={"trials": 1})
    monkeypatch.setattr("tunerstudio.store.mailbox.time.time_ns", lambda: int((time.time() - 60) * 1e9))
    identity = post(play.folder, StopSearch(when="now"))
    assert play(FakePool()).reason == "budget"
    assert "earlier session" in outcome(play, identity)


def test_a_stop_by_letter_ends_the_session(play):
    play = play()

    def script(command):
        yield epoch(command, 1, 0.3)
        post(play.folder, StopSearch(when="epoch"))

    assert play(FakePool(script)).reason == "stopped"
    assert states(play) == ["QUEUED"]


def test_a_paused_trial_waits_until_it_is_resumed(play):
    play = play(budget={"trials": 2})

    def script(command):
        if command.trial == 1 and len(pool.commands) == 1:
            yield epoch(command, 1, 0.3)
            post(play.folder, PauseTrial(trial=1))
        else:
            yield from at_once(command)

    pool = FakePool(script)
    result = play(pool)
    assert "1 paused trial remains" in result.message
    assert states(play) == ["PAUSED", "COMPLETED", "COMPLETED"]
    assert play(FakePool()).reason == "budget"
    assert states(play)[0] == "PAUSED"
    assert carry_out(play.folder, ResumeTrial(trial=1)).outcome == ""
    play(FakePool(), target=3)
    assert states(play) == ["COMPLETED"] * 3


def test_a_trial_that_is_stopped_early_keeps_its_best_epoch(play, blocks_study):
    play = Play(blocks_study(search={"budget": {"trials": 1}}, training={"executions": 3}))

    def script(command):
        yield scored(command, 0.9, execution=0)
        for number, value in enumerate([0.3, 0.7, 0.6], start=1):
            yield epoch(command, number, value, execution=1)
        post(play.folder, StopTrialEarly(trial=1))

    assert play(FakePool(script)).reason == "budget"
    (trial,) = play.trials
    assert trial.state is TrialState.PRUNED
    assert trial.score == pytest.approx((0.9 + 0.7) / 2)
    assert [(e.state.value, e.best_epoch) for e in trial.executions] == [("COMPLETED", 1), ("PRUNED", 2)]


def test_a_skipped_trial_is_cancelled_and_another_takes_its_place(play):
    play = play(budget={"trials": 1})

    def script(command):
        if command.trial == 1:
            yield epoch(command, 1, 0.3)
            post(play.folder, SkipTrial(trial=1))
        else:
            yield from at_once(command)

    play(FakePool(script))
    assert states(play) == ["CANCELLED", "COMPLETED"]
    assert play.trials[0].message == "skipped by the user"


def test_a_failed_trial_is_tried_again_on_demand_although_the_budget_is_used(play):
    play = play(budget={"trials": 1})
    assert play(FakePool(lambda command: iter([ended(command, "failed", "no luck")]))).reason == "budget"
    assert carry_out(play.folder, RetryTrial(trial=1)).outcome == ""
    pool = FakePool()
    play(pool)
    first, second = play.trials
    assert (first.state, second.state) == (TrialState.FAILED, TrialState.COMPLETED)
    assert (second.values, second.origin) == (first.values, "retry")
    assert "only failed and cancelled" in carry_out(play.folder, RetryTrial(trial=2)).outcome
    assert "no trial 9" in carry_out(play.folder, RetryTrial(trial=9)).outcome


def test_own_values_come_before_proposals_and_illegal_ones_are_refused(play):
    play = play(budget={"trials": 2})
    assert "not one of" in carry_out(play.folder, EnqueueTrial(values={"dense_1_units": 4000})).outcome
    assert "not a hyperparameter" in carry_out(play.folder, EnqueueTrial(values={"unit": 4})).outcome
    assert carry_out(play.folder, EnqueueTrial(values={"dense_1_units": 17}, note="mine")).outcome == ""
    pool = FakePool()
    play(pool)
    assert pool.commands[0].values["dense_1_units"] == 17
    assert (play.trials[0].origin, play.trials[0].note) == ("user", "mine")
    assert len(play.trials) == 2


def test_commands_in_the_middle_of_a_search(play):
    play = play(budget={"trials": 2})
    letters = {}

    def script(command):
        if command.trial == 1:
            letters["own"] = post(play.folder, EnqueueTrial(values={"dense_1_units": 17}))
            letters["note"] = post(play.folder, SetNote(trial=1, note="look"))
            letters["retry"] = post(play.folder, RetryTrial(trial=1))
            letters["budget"] = post(play.folder, SetBudget(budget=budget(trials=4)))
            letters["resume"] = post(play.folder, ResumeSearch())
            yield epoch(command, 1, 0.5)
            letters["stop"] = post(play.folder, StopTrialEarly(trial=1))
        else:
            yield from at_once(command)

    play(FakePool(script))
    outcomes = {name: outcome(play, identity) for name, identity in letters.items()}
    assert outcomes["own"] == outcomes["note"] == outcomes["budget"] == outcomes["stop"] == ""
    assert "RUNNING" in outcomes["retry"]
    assert "not paused" in outcomes["resume"]
    assert len(play.trials) == 4
    assert play.trials[0].note == "look"
    assert load_document(play.folder).search.budget.trials == 4
    assert len({trial.document for trial in play.trials}) == 2
    own = [trial for trial in play.trials if trial.origin == "user"]
    assert [trial.values["dense_1_units"] for trial in own] == [17]


def test_more_workers_while_the_search_runs(play):
    play = play(budget={"trials": 6})

    def script(command):
        if command.trial == 1:
            post(play.folder, SetWorkers(workers=2))
            yield epoch(command, 1, 0.5)
        elif command.trial == 2:
            post(play.folder, StopTrialEarly(trial=1))
            yield from at_once(command)
        else:
            yield from at_once(command)

    pool = FakePool(script)
    play(pool)
    assert len(pool.workers) == 2
    assert play.read(lambda reader: reader.session()).workers == 2


def test_a_study_that_changed_is_read_again_or_refused(play):
    play = play(budget={"trials": 3})
    letters = []

    def edit(objective, **changes):
        document = load_document(play.folder)
        changes["objective"] = document.search.objective.model_copy(update=objective)
        save_document(document.model_copy(update={"search": document.search.model_copy(update=changes)}), play.folder)
        letters.append(post(play.folder, ReloadStudy()))

    def script(command):
        if command.trial == 2:
            edit({"name": "val_loss", "direction": "min"})
            yield epoch(command, 1, 0.5)
        elif command.trial == 3 and len(pool.commands) == 3:
            yield ended(command, "failed", "no luck")
        else:
            yield from at_once(command)

    def on_log(text):
        if "ReloadStudy was refused" in text:
            edit({"name": "val_accuracy", "direction": "max"}, retries=1)
        elif "ReloadStudy was asked for" in text:
            post(play.folder, StopTrialEarly(trial=2))

    play.on_log = on_log
    pool = FakePool(script)
    play(pool)
    refused, done = [outcome(play, letter) for letter in letters]
    assert "search.objective: this differs" in refused
    assert done == ""
    assert states(play) == ["COMPLETED", "PRUNED", "COMPLETED"]
    assert play.trials[2].attempts == 2


def test_failures_pause_a_search_that_somebody_can_resume(play):
    play = play(budget={"trials": 3}, max_consecutive_failures=2)

    def script(command):
        if command.trial <= 2:
            yield ended(command, "failed", "no luck")
        else:
            yield from at_once(command)

    play.on_session[SessionState.PAUSED] = lambda: post(play.folder, ResumeSearch())
    assert play(FakePool(script), is_interactive=True).reason == "budget"
    assert states(play) == ["FAILED", "FAILED", "COMPLETED"]
    assert SessionState.PAUSED in play.states


def test_failures_end_a_search_that_nobody_can_resume(play):
    play = play(budget={"trials": 3}, max_consecutive_failures=2)
    result = play(FakePool(lambda command: iter([ended(command, "failed", "no luck")])))
    assert result.reason == "failures"
    assert "no luck" in result.message


@pytest.mark.parametrize(
    ("limits", "script", "message"),
    [
        ({"time_limit_s": 0.2}, for_ever, "longer than 0.2 s"),
        ({"no_progress_s": 0.2}, for_ever, "no progress for 0.2 s"),
        ({"memory_gb": 1.5}, lambda command: iter([used(command, int(2e9))]), "more than 1.5 GB"),
    ],
)
def test_a_trial_beyond_its_limits_is_ended_with_its_worker(play, limits, script, message):
    play = play(budget={"trials": 1}, limits=limits)
    pool = FakePool(script)
    play(pool)
    (trial,) = play.trials
    assert trial.state is TrialState.FAILED
    assert message in trial.message
    assert [worker.number for worker in pool.discarded] == [1]


def test_heartbeats_with_progress_keep_a_trial_alive(play):
    play = play(budget={"trials": 1}, limits={"no_progress_s": 0.4})
    began = time.monotonic()

    def script(command):
        def beat():
            for progress in range(8):
                finished.wait(0.1)
                worker._own_end.send_bytes(used(command, progress=progress).model_dump_json().encode())

        threading.Thread(target=beat).start()
        worker = pool.workers[0]
        yield epoch(command, 1, 0.5)

    finished = threading.Event()
    pool = FakePool(script)
    play(pool)
    assert time.monotonic() - began > 0.9
    assert "no progress" in play.trials[0].message


def test_a_worker_that_ignores_a_stop_is_killed(play, monkeypatch):
    monkeypatch.setattr("tunerstudio.engine.trainer.STOP_GRACE_S", 0.2)
    play = play()

    def script(command):
        yield epoch(command, 1, 0.5)
        play.control.request_stop("now")

    pool = FakePool(script, obeys=False)
    assert play(pool).reason == "stopped"
    assert len(pool.discarded) == 1
    assert states(play) == ["QUEUED"]


def test_a_worker_that_takes_long_to_start_does_not_hold_up_the_others(play):
    play = play(budget={"trials": 6}, workers=2)
    may_start = threading.Event()

    def before(number):
        if number == 3:
            assert may_start.wait(30)

    def script(command):
        if command.trial == 1 and not died:
            died.append(1)
            yield DIES
        else:
            yield from at_once(command)

    died = []
    pool = FakePool(script, before=before)
    seen = []

    def on_trial(trial):
        seen.append(trial.number)
        if len({trial.number for trial in play.trials if trial.state is TrialState.COMPLETED}) >= 4:
            may_start.set()

    play.on_trial = on_trial
    play(pool)
    assert may_start.is_set()
    assert states(play)[0] == "FAILED"


def test_a_stop_is_heard_while_a_worker_starts(play):
    play = play()
    may_start, posted = threading.Event(), []

    def before(number):
        posted.append(time.monotonic())
        post(play.folder, StopSearch(when="now"))
        assert may_start.wait(30)

    assert play(FakePool(before=before)).reason == "stopped"
    assert time.monotonic() - posted[0] < 5
    may_start.set()


def test_workers_that_cannot_be_had_end_the_search_with_a_sentence(play):
    def before(number):
        raise WorkerDiedError("a worker could not start: no library")

    result = play(budget={"trials": 3})(FakePool(before=before))
    assert result.reason == "failures"
    assert "no library" in result.message


def test_a_worker_that_cannot_be_had_now_and_then_is_bad_luck(play):
    play = play(budget={"trials": 10})
    asked = []

    def before(number):
        asked.append(number)
        if len(asked) % 2:
            raise WorkerDiedError("no process to be had")

    assert play(FakePool(before=before), recycling=Recycling(trials=1)).reason == "budget"
    assert states(play) == ["COMPLETED"] * 10


def test_a_trial_that_kills_its_engine_each_time_is_not_started_for_ever(play, monkeypatch):
    play = play(budget={"trials": 1})

    class KilledError(BaseException):
        pass

    class Pool(FakePool):
        """The engine dies with its first trial: nothing is put in order."""

        def acquire(self, fresh=False):
            worker = super().acquire(fresh)

            def receive():
                worker.send = None
                raise KilledError

            worker.receive = receive
            return worker

    monkeypatch.setattr(Trainer, "abandon", lambda self: None)
    for _ in range(10):
        with pytest.raises(KilledError):
            play(Pool(for_ever))
    play(FakePool())
    failed, other = play.trials[0], play.trials[1:]
    assert failed.state is TrialState.FAILED
    assert "ended 10 times in a row" in failed.message
    assert other == []


def test_workers_are_replaced_after_so_many_trials(play):
    play = play(budget={"trials": 5})
    pool = FakePool()
    play(pool, recycling=Recycling(trials=2))
    assert len(pool.workers) == 3
    assert states(play) == ["COMPLETED"] * 5


def test_resources_and_attempts_are_written_down(play, monkeypatch):
    monkeypatch.setattr("tunerstudio.engine.journal.RESOURCES_INTERVAL_S", 0.0)
    play = play(budget={"trials": 1})

    def script(command):
        yield used(command, 123)
        yield from at_once(command)

    play(FakePool(script))
    uses = play.read(lambda reader: reader.resources())
    assert {use.worker for use in uses} == {0, 1}
    assert 123 in {use.rss_bytes for use in uses}
    (attempt,) = play.read(lambda reader: reader.attempts())
    assert (attempt.worker, attempt.device, attempt.outcome) == (1, "CPU (fake)", "completed")
    assert attempt.ended_at >= attempt.started_at
