"""Writing a study as Python: which trial, which data, and what is told when it cannot be done."""

import pytest

from tunerstudio.engine.exporting import export_study
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.errors import StudyError, TunerStudioError
from tunerstudio.study.files import document_text, load_document, save_document
from tunerstudio.study.trials import Execution, Trial, TrialState


def trial(number, score, **more):
    execution = Execution(index=0, state=TrialState.COMPLETED, seed=40 + number, score=score)
    values = {"dense_1_units": 3 * number}
    return Trial(number, TrialState.COMPLETED, values, score=score, executions=(execution,), **more)


@pytest.fixture
def searched(blocks_study):
    """A study with two completed trials, the second one better; edited since."""
    folder = blocks_study()
    document = load_document(folder)
    with StudyWriter(folder) as writer:
        key = writer.put_document(document_text(document))
        writer.put_trial(trial(1, 0.5, document=key))
        writer.put_trial(trial(2, 0.9, document=key))
    training = document.training.model_copy(update={"epochs": 77})
    save_document(document.model_copy(update={"training": training}), folder)
    return folder


def test_a_search_and_its_data(blocks_study, tmp_path):
    written = export_study(blocks_study(), "hypermodel", tmp_path / "new" / "search.py")
    program, data = written.files
    assert written.trial is None
    assert "class StudyModel(keras_tuner.HyperModel):" in program.read_text()
    assert data == tmp_path / "new" / "search_data.npz"
    assert data.exists()


def test_a_script_is_of_the_best_trial_as_it_was_trained(searched, tmp_path):
    written = export_study(searched, "script", tmp_path / "best.py")
    assert written.trial == 2
    text = written.files[0].read_text()
    assert "layers.Dense(6" in text
    assert "epochs=2," in text
    assert "set_random_seed(42)" in text


def test_a_script_of_a_chosen_trial(searched, tmp_path):
    written = export_study(searched, "script", tmp_path / "first.py", number=1)
    assert written.trial == 1
    assert "layers.Dense(3" in written.files[0].read_text()
    with pytest.raises(StudyError, match="there is no trial 9; there are 2"):
        export_study(searched, "script", tmp_path / "none.py", number=9)


def test_a_script_needs_a_completed_trial(blocks_study, tmp_path):
    with pytest.raises(StudyError, match="none is completed yet: run the search first"):
        export_study(blocks_study(), "script", tmp_path / "best.py")


def test_a_folder_that_cannot_be_written_to(blocks_study, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TunerStudioError, match=r"search\.py cannot be written: .* Choose another folder"):
        export_study(blocks_study(), "hypermodel", tmp_path / "file" / "search.py")
