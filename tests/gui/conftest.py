"""What every test of the window shares: a themed application, no leaked threads or windows, a small study."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.services import Services
from tunerstudio.gui.theme import Theme
from tunerstudio.protocol.preview import ColumnProfile, Finding, Preview, Repair
from tunerstudio.study.data import Column, Data, FileFormat, FileSource
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.model import BlocksModel, LayerBlock, Optimizer
from tunerstudio.study.search import Budget, Objective, Search
from tunerstudio.study.tunable import TuneChoice, TuneFloat, TuneInt


@pytest.fixture(autouse=True)
def user_home(tmp_path, monkeypatch):
    """The user's folders, away from the real ones."""
    home = tmp_path / "home"
    monkeypatch.setenv("TUNERSTUDIO_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def no_leaks(request):
    """Fail a test that leaves a thread running or a window open."""
    before = set(threading.enumerate())
    yield
    application = QApplication.instance()
    if isinstance(application, QApplication):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        application.processEvents()
        shown = [widget for widget in application.topLevelWidgets() if widget.isVisible()]
        assert not shown, f"windows left open: {shown}"
    left = [thread for thread in threading.enumerate() if thread not in before and not thread.daemon]
    assert not left, f"threads left running: {left}"


@pytest.fixture
def theme(qapp):
    """The light theme on the test's application."""
    made = Theme(qapp, "light")
    yield made
    made.deleteLater()


@pytest.fixture
def document():
    """A tiny classifier: three columns, one tunable layer."""
    columns = (
        Column(name="id", role="ignore", kind="numeric"),
        Column(name="size", role="feature", kind="numeric"),
        Column(name="colour", role="feature", kind="categorical"),
        Column(name="class", role="target", kind="categorical"),
    )
    return StudyDocument(
        name="tiny",
        data=Data(source=FileSource(path="tiny.csv"), columns=columns, task="binary"),
        model=BlocksModel(
            blocks=(
                LayerBlock(
                    layer="Dense",
                    name="dense_1",
                    arguments={
                        "units": TuneInt(min=9, max=27, step=3),
                        "activation": TuneChoice(choices=("relu", "tanh")),
                    },
                ),
            ),
            optimizer=Optimizer(
                name="SGD", arguments={"learning_rate": TuneFloat(min=0.001, max=0.02, sampling="log")}
            ),
        ),
        search=Search(objective=Objective(name="val_accuracy", direction="max"), budget=Budget(trials=5)),
    )


@pytest.fixture
def preview(document):
    """What the data service would find in the file of `document`."""
    completed = document.data.model_copy(
        update={"format": FileFormat(encoding="utf-8", delimiter=",", decimal=".", header=True, missing=("?",))}
    )
    used = tuple(c.model_copy(update={"role": "feature"}) if c.name == "id" else c for c in completed.columns)
    return Preview(
        data=completed,
        title="tiny.csv",
        summary="6 rows × 4 columns; UTF-8, comma, header, missing ?",
        rows=6,
        columns=(
            ColumnProfile(
                name="id",
                kind="numeric",
                role="ignore",
                distinct=6,
                missing=0,
                minimum=1,
                maximum=6,
                mean=3.5,
                histogram=(1, 1, 1, 1, 1, 1),
            ),
            ColumnProfile(
                name="size",
                kind="numeric",
                role="feature",
                distinct=5,
                missing=1,
                minimum=0.5,
                maximum=3.0,
                mean=1.7,
                histogram=(2, 0, 3),
            ),
            ColumnProfile(
                name="colour",
                kind="categorical",
                role="feature",
                distinct=2,
                missing=0,
                top=(("red", 4), ("blue", 2)),
                histogram=(4, 2),
            ),
            ColumnProfile(
                name="class",
                kind="categorical",
                role="target",
                distinct=2,
                missing=0,
                top=(("good", 4), ("bad", 2)),
                histogram=(4, 2),
            ),
        ),
        sample=(("1", "0.5", "red", "good"), ("2", "?", "blue", "bad")),
        classes=(("good", 4), ("bad", 2)),
        parts=(4, 1, 1),
        findings=(
            Finding(
                severity="warning",
                code="id_column",
                message='"id" numbers the rows: it is ignored.',
                column="id",
                repairs=(Repair(label="Use anyway", data=completed.model_copy(update={"columns": used})),),
            ),
            Finding(severity="info", code="missing_values", message='1 missing in "size": filled with the median.'),
        ),
        fingerprint="abc",
    )


@pytest.fixture
def fake_services(qapp, preview):
    """Services whose processes are real children that answer from a table; started, ended afterwards."""
    canned = {
        "inspect": {"preview": preview.model_dump(mode="json")},
        "run": {},
        "stop": {},
        "detach": {"running": True},
        "prepare": {"ready": True},
        "command": {"id": "1", "outcome": ""},
        "check": {"ok": True, "problems": [], "warnings": [], "metrics": [], "parameters": 9, "size": 21},
    }
    command = [sys.executable, str(Path(__file__).with_name("fake_service.py")), json.dumps(canned)]
    made = Services(None, command, command)
    made.start()
    yield made
    made.stop()
    made.deleteLater()


@pytest.fixture
def study_context(qapp, tmp_path, document):
    """An open study with `document`; nothing has been looked at or trained yet."""
    context = StudyContext(tmp_path / "tiny", document)
    yield context
    context.deleteLater()
