"""What is done before Run is pressed is not done again afterwards."""

import threading

import pytest

from tests.engine.reading import trials_of
from tunerstudio.engine.executors.local import Worker
from tunerstudio.engine.foresight import first_values
from tunerstudio.engine.preparation import prepare_study
from tunerstudio.protocol.worker import OpenStudy, ProbeModel
from tunerstudio.store.reader import StudyReader, has_history
from tunerstudio.study.errors import StudyError
from tunerstudio.study.files import load_document, save_document
from tunerstudio.study.search import AlgorithmChoice

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def asked(monkeypatch):
    """What workers are asked, by type."""
    seen = []
    ask = Worker.ask

    def noting(worker, command):
        seen.append(type(command))
        return ask(worker, command)

    monkeypatch.setattr(Worker, "ask", noting)
    return seen


def test_a_prepared_study_is_not_opened_again(engine, blocks_study, asked, run):
    folder = blocks_study(search={"budget": {"trials": 1}})
    engine.get_ready(folder)
    assert asked == [OpenStudy, ProbeModel, ProbeModel]
    assert not has_history(folder)  # nothing is written down before a search
    assert run(folder).reason == "budget"
    assert asked == [OpenStudy, ProbeModel, ProbeModel]


def test_budget_and_algorithm_are_those_of_the_moment_when_run_is_pressed(engine, blocks_study, asked, run):
    folder = blocks_study(search={"budget": {"trials": 1}, "algorithm": {"id": "random"}})
    engine.get_ready(folder)
    document = load_document(folder)
    budget = document.search.budget.model_copy(update={"trials": 3})
    search = document.search.model_copy(update={"budget": budget, "algorithm": AlgorithmChoice(id="grid")})
    save_document(document.model_copy(update={"search": search}), folder)
    asked.clear()
    assert run(folder).completed == 3
    assert OpenStudy not in asked, "the worker has the study open"
    assert [trial.values["dense_1_units"] for trial in trials_of(folder)] == [2, 3, 4], "the grid's order"


def test_a_study_that_changed_meanwhile_is_prepared_anew(engine, blocks_study, asked):
    folder = blocks_study()
    engine.get_ready(folder)
    document = load_document(folder)
    save_document(document.model_copy(update={"name": "another"}), folder)
    asked.clear()
    engine.get_ready(folder)
    assert OpenStudy in asked


def test_preparing_twice_at_once_opens_the_study_once(engine, blocks_study, asked):
    folder = blocks_study("twice")
    threads = [threading.Thread(target=engine.get_ready, args=(folder,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked.count(OpenStudy) == 1


def test_the_first_trial_is_foreseen(engine, blocks_study, run):
    folder = blocks_study("foreseen", search={"budget": {"trials": 2}})
    with engine.pool.lease() as lease:
        study = prepare_study(folder, lease.worker, lambda text: None)
    foreseen = first_values(study)
    assert not has_history(folder)
    run(folder, target=1)
    with StudyReader(folder) as reader:
        assert reader.trials()[0].values == foreseen
    second = first_values(study)
    run(folder)
    with StudyReader(folder) as reader:
        assert reader.trials()[1].values == second


def test_what_is_wrong_with_a_study_is_told(engine, blocks_study):
    folder = blocks_study(search={"objective": {"name": "val_nonsense", "direction": "max"}})
    with pytest.raises(StudyError, match=r"search\.objective\.name"):
        engine.get_ready(folder)
