from tunerstudio.analysis.timeline import last_session_start, timeline
from tunerstudio.study.trials import Trial, TrialState


def trial(number, start, end, state=TrialState.COMPLETED):
    return Trial(number, state, {}, started_at=start, ended_at=end)


def test_trials_side_by_side_take_lanes():
    line = timeline([trial(1, 0, 10), trial(2, 1, 4), trial(3, 4, 8), trial(4, 11, 12)], now=20)
    assert line.numbers.tolist() == [1, 2, 3, 4]
    assert line.lanes.tolist() == [0, 1, 1, 0]


def test_a_running_trial_ends_now():
    line = timeline([trial(1, 5, None, TrialState.RUNNING), trial(2, None, None, TrialState.QUEUED)], now=9)
    assert line.ends.tolist() == [9]
    assert line.states == (TrialState.RUNNING,)


def test_last_session():
    line = timeline([trial(1, 0, 10), trial(2, 10, 20), trial(3, 5000, 5010), trial(4, 5010, 5020)], now=0)
    assert last_session_start(line) == 5000
    assert last_session_start(timeline([], now=0)) is None
