"""What a person does in the window, as scripts for the driver.

Run one by hand: `python -m tests.end2end.window_scripts NAME [STUDY]`.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLineEdit,
    QListWidget,
    QMessageBox,
    QTabBar,
    QWidget,
)

from tests.end2end.driver import Condition, button, click, drive, picture, pictures_folder, shows
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.main_window import MainWindow
from tunerstudio.gui.pages.run import RunPage
from tunerstudio.gui.run_view.view import RunView
from tunerstudio.study.trials import TrialState

PICTURES = pictures_folder()
TRIALS = 4


def three_clicks(window: MainWindow) -> Generator[Condition, None, None]:
    """From the welcome page to three saved models: Run on the first example, look, stop, save."""
    picture(window, PICTURES, "welcome")
    click(button(window, "Run Is this tumour malignant?"))
    yield lambda: len(completed(window)) >= 5
    picture(window, PICTURES, "running")
    click(button(window, "Stop after this epoch"))
    yield lambda: shows(window, "Resume")
    click(button(window, "Resume"))
    yield lambda: len(completed(window)) >= 8
    click(button(window, "Stop now"))
    yield lambda: study(window).search_state == "idle"
    assert not any(trial.state is TrialState.RUNNING for trial in study(window).trials.values())
    window.go("models")
    yield lambda: shows(window, "Save top 3")
    click(button(window, "Save top 3"))
    models = study(window).folder / "models"
    yield lambda: len(list(models.glob("trial-*/card.json"))) == 3
    picture(window, PICTURES, "models")


def leave(window: MainWindow) -> Generator[Condition, None, None]:
    """Close the window on a running search and let it go on."""
    yield from _press_run(window)
    QTimer.singleShot(0, window.close)  # asks in a loop of its own
    yield lambda: bool(question())
    picture(question()[0], PICTURES, "question")
    click(button(question()[0], "Keep running in the background"))
    yield lambda: False  # the program ends here


def come_back(window: MainWindow) -> Generator[Condition, None, None]:
    """Open the study of a search in the background: it is live, and hears every verb."""
    yield lambda: study(window).search_state == "running"
    assert study(window).runner == "other"
    yield lambda: len(completed(window)) >= 2
    picture(window, PICTURES, "back")
    click(button(window, "Pause"))
    yield lambda: study(window).search_state == "paused"
    yield lambda: shows(window, "Resume")
    picture(window, PICTURES, "paused")
    click(button(window, "Resume"))
    yield lambda: study(window).search_state == "running"
    before = len(completed(window))
    yield lambda: len(completed(window)) > before and shows(window, "Stop now")
    click(button(window, "Stop now"))
    yield lambda: study(window).search_state == "idle"
    yield lambda: shows(window, "Resume")
    assert not study(window).has_died
    assert not any(trial.state is TrialState.RUNNING for trial in study(window).trials.values())


def verbs(window: MainWindow) -> Generator[Condition, None, None]:
    """Everything that can be done to a search of the window itself, and to its trials."""
    context = study(window)
    training = context.document.training.model_copy(update={"epochs": 50_000, "executions": 1})
    context.edit("trials that do not end by themselves", context.document.model_copy(update={"training": training}))
    yield from _press_run(window, trials=0)
    yield lambda: any(trial.state is TrialState.RUNNING for trial in context.trials.values())
    view = _run_view(window)
    running = _first(window, TrialState.RUNNING)
    yield from _do(window, "pause", running, TrialState.PAUSED)
    yield from _do(window, "resume", running, TrialState.QUEUED, TrialState.RUNNING)
    yield lambda: any(trial.state is TrialState.RUNNING for trial in context.trials.values())
    skipped = _first(window, TrialState.RUNNING)
    yield from _do(window, "skip", skipped, TrialState.CANCELLED)
    yield from _do(window, "retry", skipped, TrialState.CANCELLED)
    yield lambda: any(trial.origin == "retry" for trial in context.trials.values())
    click(view.trials.add_button)
    yield lambda: view.trials.form is not None
    assert view.trials.form is not None
    click(view.trials.form.accept_button)
    yield lambda: any(trial.origin == "user" for trial in context.trials.values())
    click(view.banner.limits_button)
    picture(view.limits, PICTURES, "limits")
    fields = view.limits.form.form.rows["trials"].findChildren(QLineEdit)
    fields[0].setFocus()
    QTest.keyClick(fields[0], Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(fields[0], "400")
    click(view.limits.apply_button)
    yield lambda: not view.changes.pending
    assert context.document.search.budget.trials == 400
    click(button(window, "Pause"))
    yield lambda: context.search_state == "paused"
    picture(window, PICTURES, "paused")
    click(button(window, "Resume"))
    yield lambda: context.search_state == "running" and shows(window, "Stop now")
    click(button(window, "Stop now"))
    yield lambda: context.search_state == "idle"
    yield lambda: bool(context.resources) and bool(context.attempts)
    picture(window, PICTURES, "stopped")


def _run_view(window: MainWindow) -> RunView:
    page = next(page for page in window.pages if isinstance(page, RunPage))
    assert page.view is not None
    return page.view


def _first(window: MainWindow, state: TrialState) -> int:
    return next(number for number, trial in study(window).trials.items() if trial.state is state)


def _do(window: MainWindow, verb: str, number: int, *states: TrialState) -> Generator[Condition, None, None]:
    """A verb of the trials table, once it applies; then until the trial is in one of the states."""
    table = _run_view(window).trials.view

    def is_possible() -> bool:
        study(window).select([number])
        return table.verb_actions[verb].isEnabled()

    yield is_possible
    table.verb_actions[verb].trigger()
    yield lambda: study(window).trials[number].state in states


def run_until_killed(window: MainWindow) -> Generator[Condition, None, None]:
    """Run, and say when the first trial is done."""
    yield from _press_run(window)
    sys.stdout.write("running\n")
    sys.stdout.flush()
    yield lambda: False


def _press_run(window: MainWindow, trials: int = 1) -> Generator[Condition, None, None]:
    """The primary button of the Search page; then until so many trials are done."""
    window.go("search")
    yield lambda: study(window).preview is not None
    click(window.header.findChildren(QAbstractButton)[0])
    yield lambda: len(completed(window)) >= trials


def question() -> list[QMessageBox]:
    """The question that stands open, if one does."""
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox) and w.isVisible()]


def five_methods(window: MainWindow) -> Generator[Condition, None, None]:
    """The reference study with every search method, chosen by clicks; the last one is an estimator."""
    click(button(window, "Open Is this tumour malignant?"))
    yield lambda: window.study is not None and study(window).preview is not None
    picture(window, PICTURES, "data")
    for name in ("Random search", "Grid search", "Hyperband", "Bayesian optimization (Keras Tuner)"):
        yield from _search_with(window, name)
    window.go("model")
    yield lambda: True
    _choose_estimator(window)
    yield lambda: study(window).document.model.kind == "estimator"
    picture(window, PICTURES, "estimator")
    yield from _search_with(window, "Random search")


def _search_with(window: MainWindow, name: str) -> Generator[Condition, None, None]:
    """Choose the algorithm, set a small budget, run until it is used."""
    window.go("search")
    yield lambda: shows(window, "Auto")
    if not shows(window, name):
        texts = (b.text() for b in window.findChildren(QAbstractButton) if b.isVisible())
        click(button(window, next(text for text in texts if text.startswith("Show all "))))
    yield lambda: shows(window, name)
    click(button(window, name))
    before = len(completed(window))
    wanted = before + TRIALS
    _set_trials(window, wanted)
    yield lambda: study(window).document.search.budget.trials == wanted
    picture(window, PICTURES, f"search-{_slug(name)}-{wanted}")
    click(window.header.findChildren(QAbstractButton)[0])
    yield lambda: study(window).search_state != "idle"
    yield lambda: study(window).search_state == "idle" and len(completed(window)) >= wanted
    picture(window, PICTURES, f"run-{_slug(name)}-{wanted}")


def _set_trials(window: MainWindow, wanted: int) -> None:
    """Type the budget into its field."""
    fields = [field for field in window.findChildren(QWidget) if field.accessibleName() == "trials"]
    field = next(field for field in fields if field.isVisible())
    inner = field.findChild(QLineEdit) or field
    inner.setFocus()
    QTest.keyClick(inner, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(inner, str(wanted))
    QTest.keyClick(inner, Qt.Key.Key_Return)


def _choose_estimator(window: MainWindow) -> None:
    tabs = next(bar for bar in window.findChildren(QTabBar) if bar.isVisible() and bar.count() == 3)
    index = next(i for i in range(3) if tabs.tabText(i) == "Estimator")
    QTest.mouseClick(tabs, Qt.MouseButton.LeftButton, pos=tabs.tabRect(index).center())
    chooser = next(w for w in window.findChildren(QListWidget) if w.accessibleName() == "estimators")
    item = chooser.findItems("RandomForestClassifier", Qt.MatchFlag.MatchContains)[0]
    chooser.scrollToItem(item)
    click(chooser.viewport(), chooser.visualItemRect(item).center())


def _slug(name: str) -> str:
    return name.split()[0].lower()


def study(window: MainWindow) -> StudyContext:
    """The open study."""
    assert window.study is not None
    return window.study


def completed(window: MainWindow) -> list[int]:
    """Numbers of the completed trials that the window knows of."""
    if window.study is None:
        return []
    return [n for n, trial in window.study.trials.items() if trial.state is TrialState.COMPLETED]


SCRIPTS = {
    script.__name__: script for script in (three_clicks, five_methods, leave, come_back, verbs, run_until_killed)
}

if __name__ == "__main__":
    opened = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    sys.exit(drive(SCRIPTS[sys.argv[1]], PICTURES, opened))
