import gc

import pytest
from PySide6.QtCore import QCoreApplication, QEvent

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.history_memory import FREEZE_EVERY, HistoryMemory
from tunerstudio.study.trials import Epoch

pytestmark = pytest.mark.gui


@pytest.fixture(autouse=True)
def thawed():
    gc.unfreeze()
    yield
    gc.unfreeze()


def epochs(count):
    return [Epoch(1, 0, number, {"loss": 1.0}, 0.0) for number in range(count)]


def test_a_large_history_is_frozen_until_it_is_reset(study_context):
    HistoryMemory(study_context)
    study_context.add_history([], epochs(FREEZE_EVERY - 1))
    assert gc.get_freeze_count() == 0
    study_context.add_history([], epochs(1))
    assert gc.get_freeze_count() > FREEZE_EVERY
    study_context.reset_history()
    assert gc.get_freeze_count() == 0


def test_a_history_thaws_when_its_study_goes(tmp_path, document, qapp):
    study = StudyContext(tmp_path / "large", document)
    HistoryMemory(study)
    study.add_history([], epochs(FREEZE_EVERY))
    assert gc.get_freeze_count() > 0
    study.deleteLater()
    QCoreApplication.sendPostedEvents(study, QEvent.Type.DeferredDelete)
    assert gc.get_freeze_count() == 0
