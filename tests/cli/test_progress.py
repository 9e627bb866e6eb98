"""Progress of a run that goes on where an earlier one stopped."""

from dataclasses import replace

from tunerstudio.cli.output import Output
from tunerstudio.cli.progress import RunProgress
from tunerstudio.engine.scores import told
from tunerstudio.study.examples import find_example
from tunerstudio.study.trials import Trial, TrialState


def trial(number, state, score=None):
    return Trial(number, state, {"units": 3}, score=score)


def test_trials_of_earlier_runs_count(capsys):
    earlier = [trial(1, TrialState.COMPLETED, 0.9), trial(2, TrialState.FAILED), trial(3, TrialState.QUEUED)]
    with RunProgress(find_example("reference").document(), earlier, None, Output(json_wanted=False)) as progress:
        listener = progress.listener()
        assert not progress.has_begun
        listener.on_trial(trial(3, TrialState.RUNNING))
        assert progress.has_begun
        listener.on_trial(trial(3, TrialState.COMPLETED, 0.8))
        assert progress.finished == 3
    assert "best val_accuracy 0.9 (trial 1)" in capsys.readouterr().err


def test_towards_a_target_only_completed_trials_count():
    earlier = [trial(1, TrialState.COMPLETED, 0.9), trial(2, TrialState.FAILED)]
    progress = RunProgress(find_example("reference").document(), earlier, 5, Output(json_wanted=True))
    assert progress.finished == 1


def test_each_finished_trial_is_told_once(capsys):
    completed = replace(trial(1, TrialState.COMPLETED, 0.9), duration_s=2.0)
    failed = replace(trial(2, TrialState.FAILED), message="out of memory")
    with RunProgress(find_example("reference").document(), [], None, Output(json_wanted=False)) as progress:
        listener = progress.listener()
        for finished in (completed, failed):
            listener.on_trial(finished)
            listener.on_log(*told(finished))
        listener.on_log("info", "trial 3 goes on")
    lines = capsys.readouterr().err.splitlines()
    assert [line[:16] for line in lines] == ["trial 1: 0.9  2.", "Warning: trial 2", "trial 3 goes on"]
