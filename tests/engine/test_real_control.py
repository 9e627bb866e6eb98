"""Pauses, stops, limits and commands on real workers."""

import shutil
import threading
import time

import psutil
import pytest

from tests.engine.reading import epochs_of, trials_of
from tunerstudio.engine.control import SessionControl
from tunerstudio.engine.results import SessionListener
from tunerstudio.protocol.control import (
    EnqueueTrial,
    PauseSearch,
    ResumeSearch,
    RetryTrial,
    SetNote,
    SkipTrial,
    StopSearch,
    StopTrialEarly,
)
from tunerstudio.store.mailbox import post
from tunerstudio.store.reader import StudyReader
from tunerstudio.study.trials import SessionState, TrialState

pytestmark = pytest.mark.tensorflow

LONG = {"epochs": 2000, "road": "fit"}


class Once:
    """Calls a function the first time that it is told of epochs of a trial."""

    def __init__(self, trial, react):
        self._trial, self._react = trial, react

    def __call__(self, epochs):
        if self._react is not None and any(epoch.trial == self._trial for epoch in epochs):
            react, self._react = self._react, None
            react()


def run(engine, folder, on_epochs=lambda epochs: None, on_session=lambda record: None, **options):
    control = SessionControl()
    try:
        return engine.run(folder, control, SessionListener(on_epochs=on_epochs, on_session=on_session), **options)
    finally:
        control.close()


def last_session(folder):
    with StudyReader(folder) as reader:
        return reader.session()


def test_a_search_pauses_and_goes_on_where_it_was(engine, blocks_study):
    folder = blocks_study(search={"budget": {"trials": 2}}, training={"epochs": 40, "road": "fit"})
    states = []

    def on_session(record):
        states.append(record.state)
        if record.state is SessionState.PAUSED:
            post(folder, ResumeSearch())

    pause = Once(1, lambda: post(folder, PauseSearch()))
    assert run(engine, folder, pause, on_session).reason == "budget"
    assert [trial.state for trial in trials_of(folder)] == [TrialState.COMPLETED] * 2
    assert SessionState.PAUSED in states
    for trial in (1, 2):
        assert [epoch.epoch for epoch in epochs_of(folder, trial)] == list(range(1, 41))
    assert last_session(folder).state is SessionState.ENDED


def test_trials_are_stopped_early_skipped_noted_retried_and_enqueued(engine, blocks_study):
    folder = blocks_study(search={"budget": {"trials": 2}}, training=LONG)

    def on_epochs(epochs):
        for react in reactions:
            react(epochs)

    def early():
        post(folder, SetNote(trial=1, note="good enough"))
        post(folder, StopTrialEarly(trial=1))

    own = EnqueueTrial(values={"dense_1_units": 7})
    reactions = [
        Once(1, early),
        Once(2, lambda: post(folder, SkipTrial(trial=2))),
        Once(3, lambda: (post(folder, RetryTrial(trial=2)), post(folder, own), post(folder, StopTrialEarly(trial=3)))),
        Once(4, lambda: post(folder, StopTrialEarly(trial=4))),
        Once(5, lambda: post(folder, StopTrialEarly(trial=5))),
    ]
    run(engine, folder, on_epochs)
    first, second, third, fourth, fifth = trials_of(folder)
    assert (first.state, first.note) == (TrialState.PRUNED, "good enough")
    assert first.score == max(epoch.metrics["val_accuracy"] for epoch in epochs_of(folder, 1))
    assert second.state is TrialState.CANCELLED
    assert third.state is TrialState.PRUNED
    assert (fourth.origin, fourth.values) == ("retry", second.values)
    assert (fifth.origin, fifth.values) == ("user", {"dense_1_units": 7})
    told = {command.type: engine.command(folder, command).outcome for command in (own, RetryTrial(trial=2))}
    assert told == {"EnqueueTrial": "", "RetryTrial": ""}


@pytest.mark.parametrize(
    ("limits", "body", "message"),
    [
        ({"memory_gb": 2.0}, "hog = bytearray(os.urandom(1)) * int(4e9) if a > 0.0 else None", "more than 2 GB"),
        ({"no_progress_s": 6}, "\n    while a > 0.0:\n        pass", "no progress for 6 s"),
        ({"time_limit_s": 6}, "import time; a > 0.0 and time.sleep(600)", "longer than 6 s"),
    ],
    ids=["memory", "endless loop", "time"],
)
def test_a_trial_beyond_its_limits_is_one_failed_trial_and_the_search_goes_on(
    engine, code_study, limits, body, message
):
    folder = code_study(body, search={"budget": {"trials": 1}, "limits": limits})
    run(engine, folder)
    (trial,) = trials_of(folder)
    assert trial.state is TrialState.FAILED
    assert message in trial.message
    assert trial.duration_s < 60


def test_a_stop_is_heard_while_the_data_are_prepared(engine, blocks_study, monkeypatch):
    folder = blocks_study()
    reading, may_end = threading.Event(), threading.Event()

    def slow(*_):
        reading.set()
        may_end.wait(60)
        raise AssertionError("nobody wants this any more")

    monkeypatch.setattr("tunerstudio.engine.preparation.prepare_data", slow)
    posted = []

    def stop():
        assert reading.wait(60)
        posted.append(time.monotonic())
        post(folder, StopSearch(when="now"))

    asker = threading.Thread(target=stop)
    asker.start()
    assert run(engine, folder).reason == "stopped"
    waited = time.monotonic() - posted[0]
    asker.join()
    may_end.set()
    assert waited < 1.0  # 0.2 s on a machine that does nothing else
    assert last_session(folder).reason == "stopped"


def test_workers_share_the_cores(engine, blocks_study):
    folder = blocks_study(search={"workers": 2, "budget": {"trials": 2}})
    engine.pool.share_cores(2)
    assert run(engine, folder).reason == "budget"
    cores = max(1, len(psutil.Process().cpu_affinity()) // 2)
    assert {trial.device for trial in trials_of(folder)} == {f"CPU ({cores} core{'s' if cores > 1 else ''})"}
    engine.pool.share_cores(1)


def test_a_missing_trial_folder_costs_its_weights_only(engine, blocks_study):
    folder = blocks_study(search={"budget": {"trials": 2}})
    run(engine, folder)
    shutil.rmtree(folder / "trials" / "0001")
    assert run(engine, folder, target=3).completed == 3
    saved = engine.save(folder, 1, None, lambda share, text: None, [2])
    assert saved[0].verified
