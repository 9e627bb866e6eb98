"""Population-based training with a real engine: weights go from network to network, values change."""

import pytest

from tunerstudio.store.reader import StudyReader
from tunerstudio.study.trials import TrialState

pytestmark = pytest.mark.tensorflow


def tuned(low, high, **more):
    return {"tune": "float", "min": low, "max": high, **more}


def test_copies_go_on_from_the_weights_of_the_best_with_other_values(run, blocks_study):
    folder = blocks_study(
        model={
            "kind": "blocks",
            "blocks": [
                {"layer": "Dense", "arguments": {"units": 8}},
                {"layer": "Dropout", "arguments": {"rate": tuned(0.0, 0.3)}},
            ],
            "optimizer": {"name": "Adam", "arguments": {"learning_rate": tuned(0.005, 0.05, sampling="log")}},
        },
        search={
            "algorithm": {
                "id": "population_based",
                "options": {"population": 3, "interval": 10, "share": 0.34, "step": 0.3},
            },
            "budget": {"trials": 50},
            "checkpoints": {"keep_top": 1},
            "objective": {"name": "val_loss", "direction": "min"},
        },
        training={"epochs": 20},
    )
    result = run(folder)
    assert (result.reason, result.completed) == ("exhausted", 6)
    with StudyReader(folder) as reader:
        trials = {trial.number: trial for trial in reader.trials()}
        first = {number: reader.epochs(number)[0] for number in trials}
        last = {number: reader.epochs(number)[-1] for number in trials}
    assert all(trial.state is TrialState.COMPLETED for trial in trials.values())
    children = [trial for trial in trials.values() if trial.parent is not None]
    assert len(children) == 3
    for child in children:
        parent = trials[child.parent]
        assert (child.initial_epoch, first[child.number].epoch) == (parent.epochs_planned, parent.epochs_planned + 1)
        # It goes on where its parent was, and is not a network with new weights.
        start, fresh = first[child.number].metrics["val_loss"], first[1].metrics["val_loss"]
        assert abs(start - last[parent.number].metrics["val_loss"]) < 0.5 * abs(fresh - start)
    copies = [child for child in children if child.values != trials[child.parent].values]
    assert {trial.tags["stage"] for trial in copies} == {1}
    best = min(trials.values(), key=lambda trial: trial.score)
    assert [path.name for path in (folder / "trials").iterdir()] == [f"{best.number:04d}"]
