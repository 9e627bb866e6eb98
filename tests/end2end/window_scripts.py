"""What a person does in the window, as scripts for the driver.

Run one by hand: `python -m tests.end2end.window_scripts NAME`.
"""

from __future__ import annotations

import sys
from collections.abc import Generator

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QListWidget, QTabBar, QWidget

from tests.end2end.driver import Condition, button, click, drive, picture, pictures_folder, shows
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.main_window import MainWindow
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


if __name__ == "__main__":
    sys.exit(drive({"three_clicks": three_clicks, "five_methods": five_methods}[sys.argv[1]], PICTURES))
