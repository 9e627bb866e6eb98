"""What the code of a study declares, and what the study makes of it; nothing of a stranger's code runs."""

import pytest

from tests.engine.reading import trials_of
from tunerstudio.study.errors import StudyError
from tunerstudio.study.files import load_document, save_document
from tunerstudio.study.hyperparameters import Float

pytestmark = pytest.mark.tensorflow


def narrow(folder, **ranges):
    document = load_document(folder)
    model = document.model.model_validate({**document.model.model_dump(), "ranges": ranges})
    save_document(document.model_copy(update={"model": model}), folder)


def test_a_narrowed_range_holds_in_the_search_and_the_declared_one_is_still_known(engine, run, code_study):
    folder = code_study("pass", search={"budget": {"trials": 4}})
    narrow(folder, a={"tune": "float", "min": 0.25, "max": 0.5})
    assert engine.declared_space(folder).hyperparameters == (Float(name="a", min=0.0, max=1.0),)
    assert engine.space(folder)["a"] == Float(name="a", min=0.25, max=0.5)
    run(folder)
    assert all(0.25 <= trial.values["a"] <= 0.5 for trial in trials_of(folder))


def test_a_range_beyond_the_code_is_refused_before_the_first_trial(run, code_study):
    folder = code_study("pass")
    narrow(folder, a=2.0)
    with pytest.raises(StudyError, match=r"model\.ranges\.a: 2\.0 is not one of"):
        run(folder)


@pytest.mark.parametrize("ask", ["check_space", "describe", "declared_space"])
def test_code_of_a_stranger_does_not_run_for_a_look_at_the_space(engine, blocks_study, tmp_path, ask):
    folder = blocks_study(model={"kind": "code", "file": "model.py"})
    trap = tmp_path / "trap"
    (folder / "model.py").write_text(f"open({str(trap)!r}, 'w').close()\n\ndef build(hp):\n    return None\n")
    with pytest.raises(StudyError, match="trust"):
        getattr(engine, ask)(folder)
    assert not trap.exists()
