"""Progress of a run that goes on where an earlier one stopped."""

from tunerstudio.cli.output import Output
from tunerstudio.cli.progress import RunProgress
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
