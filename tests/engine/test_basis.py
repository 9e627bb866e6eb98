"""What the scores of a study depend on: trials of other predictions are never mixed."""

import pytest

from tests.engine.fakes import prepared
from tunerstudio.engine.basis import check_basis
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.errors import StudyError
from tunerstudio.study.files import parse_document, save_document
from tunerstudio.study.trials import Execution, Trial, TrialState


def study(folder, **data):
    rows = "\n".join(f"{index % 9 + 0.5},{index * 0.1:.1f}" for index in range(120))
    folder.mkdir(exist_ok=True)
    (folder / "levels.csv").write_text(f"rain,level\n{rows}\n")
    columns = [{"name": "rain"}, {"name": "level", "role": "target"}]
    source = {"kind": "file", "path": "levels.csv"}
    content = {"source": source, "columns": columns, "task": "regression", "split": {"method": "ordered"}, **data}
    search = {"objective": {"name": "val_mae", "direction": "min"}, "algorithm": {"id": "random"}}
    blocks = [{"layer": "Dense", "arguments": {"units": {"tune": "int", "min": 2, "max": 6}}}]
    model = {"kind": "blocks", "blocks": blocks}
    save_document(parse_document({"name": "s", "data": content, "search": search, "model": model}), folder)
    return prepared(folder)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"window": {"past": 4}}),
        ({"window": {"past": 4}}, {"window": {"past": 4, "horizon": 2}}),
        ({}, {"reconstruct": True, "columns": [{"name": "rain"}, {"name": "level"}]}),
    ],
    ids=["a series", "another horizon", "an autoencoder"],
)
def test_another_prediction_is_another_study(tmp_path, before, after):
    folder = tmp_path / "s"
    first = study(folder, **before)
    with StudyWriter(folder) as writer:
        check_basis(writer, first)
        execution = Execution(0, TrialState.COMPLETED, seed=1, score=0.5, best_epoch=1, epochs=1)
        trial = Trial(1, TrialState.COMPLETED, {"dense_1_units": 3}, score=0.5, executions=(execution,), document="d")
        writer.put_trial(trial)
        check_basis(writer, study(folder, **before))
        with pytest.raises(StudyError, match=r"data\.columns: this differs"):
            check_basis(writer, study(folder, **after))
