"""A search space that is wrong in four ways, drawn in the real window: how soon it is told, and how the window feels.

    python -m benchmarks.bad_space [--pictures FOLDER]

Strides too large for the pictures, branches that cannot be added, and 10^9 weights in a corner are put into the digits
example by the same keys and clicks as a person's; layers of no units are refused as they are typed. Prints when each
was told, counted from the last edit, with layer, reason and repair; and the longest gap of the event loop from the
first edit on, with how much of it was the window's own work (on a busy machine the rest is waiting for a processor).
Needs a display with a window manager. Ends with 1 if something is not told, or later than in 5 s.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QTreeWidgetItemIterator, QWidget

from tunerstudio.gui.main_window import MainWindow
from tunerstudio.gui.pages.model import ModelPage
from tunerstudio.gui.services import Services
from tunerstudio.gui.theme import Theme
from tunerstudio.protocol.space import SpaceProblem, SpaceReport
from tunerstudio.study.examples import find_example

W = TypeVar("W", bound=QWidget)

_TICK_MS = 2
_LIMIT_S = 5.0
_PATIENCE_S = 60.0

_BLOCKS = """
- {layer: Conv2D, arguments: {filters: 4, kernel_size: 3, padding: same}}
- {layer: Conv2D, arguments: {filters: 4, kernel_size: 3}}
- parallel:
  - {name: left, blocks: [{layer: Conv2D, arguments: {filters: 4, kernel_size: 1}}]}
  - {name: right, blocks: [{layer: Conv2D, arguments: {filters: 4, kernel_size: 1}}]}
  merge: add
- {layer: Flatten}
- {layer: Dense, arguments: {units: 4}}
- {layer: Dense, arguments: {units: 64}}
- {layer: Dense, arguments: {units: 10000}}
"""
"""Pasted into the list of layers; what is wrong is made of it by clicks."""

_EDITS = (
    ("Conv2D 1", "strides", "max", "4"),
    ("Conv2D 3", "filters", "max", "5"),
    ("Dense 1", "units", "min", "0"),
    ("Dense 1", "units", "min", "1"),
    ("Dense 2", "units", "max", "131072"),
)
"""(layer, field that is made tunable, end of its range, what is typed there)."""

_EXPECTED: dict[str, Callable[[SpaceProblem], bool]] = {
    "strides too large": lambda problem: problem.layer == "conv2d_2" and "nothing left" in problem.reason,
    "branches that cannot be added": lambda problem: "cannot be merged by Add" in problem.reason,
    "10^9 weights": lambda problem: "weights and needs about" in problem.reason,
}
"""By what was done wrong: whether a problem tells it."""


def main() -> None:
    """Draw the space, wait for the report and print what came when."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, help="folder for a picture of the window")
    pictures = parser.parse_args().pictures
    with tempfile.TemporaryDirectory() as home:
        os.environ["TUNERSTUDIO_HOME"] = home
        code = _measure(pictures)
    sys.exit(code)


@dataclass
class _Gaps:
    """(gap between ticks, own work in it) in milliseconds."""

    found: list[tuple[float, float]] = field(default_factory=list)

    def start(self) -> QTimer:
        """Tick from now on."""
        self._last = time.perf_counter(), time.thread_time()
        timer = QTimer()
        timer.setInterval(_TICK_MS)
        timer.timeout.connect(self._tick)
        timer.start()
        return timer

    def _tick(self) -> None:
        now = time.perf_counter(), time.thread_time()
        self.found.append(((now[0] - self._last[0]) * 1000, (now[1] - self._last[1]) * 1000))
        self._last = now


def _measure(pictures: Path | None) -> int:
    application = QApplication([])
    theme, services = Theme(application, "light"), Services()
    window = MainWindow(theme, services)
    window.resize(1366, 768)
    window.show()
    services.start()
    window.workspace.open_example(find_example("digits"))
    _until(lambda: window.study is not None and window.study.preview is not None)
    window.go("model")
    page = next(page for page in window.pages if isinstance(page, ModelPage))
    _until(lambda: page.watcher.report is not None)  # the worker is up, as it is when somebody has drawn so much
    gaps = _Gaps()
    timer = gaps.start()
    _draw(page)
    edited, seen = time.perf_counter(), dict[str, tuple[float, SpaceProblem]]()
    _until(lambda: _note(page.watcher.report, edited, seen))
    timer.stop()
    if pictures is not None:
        page.layers.below.setCurrentIndex(1)
        window.grab().save(str(pictures / "bad-space.png"))
    window.finish()
    services.stop()
    return _print(seen, gaps.found)


def _draw(page: ModelPage) -> None:
    """The four mistakes, by keys and clicks; the event loop turns after each."""
    tree = page.layers.network
    while (before := len(tree.titles())) > 3:
        _click_row(page, 1)
        QTest.keyClick(tree, Qt.Key.Key_Delete)
        _turn()
        if len(tree.titles()) >= before:
            raise RuntimeError("the window gets no keys: the display needs a window manager, such as openbox")
    QApplication.clipboard().setText(_BLOCKS)
    QTest.keyClick(tree, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    _turn()
    for layer, name, end, text in _EDITS:
        _click_row(page, next(n for n, title in enumerate(tree.titles()) if title.startswith(layer)))
        _turn()
        dice = _named(page, QAbstractButton, f"tune {name}")
        if not dice.isChecked():
            QTest.mouseClick(dice, Qt.MouseButton.LeftButton)
            _turn()
        line = _named(page, QLineEdit, f"{name} {end}")
        line.setFocus()
        QTest.keyClick(line, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClicks(line, text)
        _turn()
        for field_name, sentence in page.layers.troubles().items():
            print(f"refused where it is typed: {field_name}: {sentence}")


def _click_row(page: ModelPage, row: int) -> None:
    tree = page.layers.network
    iterator = QTreeWidgetItemIterator(tree)
    for _ in range(row):
        iterator += 1
    item = iterator.value()
    tree.scrollToItem(item)
    QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=tree.visualItemRect(item).center())


def _named(page: ModelPage, kind: type[W], name: str) -> W:
    return next(w for w in page.findChildren(kind) if w.accessibleName() == name and w.isVisible())


def _note(report: SpaceReport | None, edited: float, seen: dict[str, tuple[float, SpaceProblem]]) -> bool:
    """Write down what is told for the first time; whether all is."""
    for problem in report.problems if report is not None else ():
        for name, tells in _EXPECTED.items():
            if name not in seen and tells(problem):
                seen[name] = time.perf_counter() - edited, problem
    return len(seen) == len(_EXPECTED) or (report is not None and report.complete)


def _print(seen: dict[str, tuple[float, SpaceProblem]], gaps: list[tuple[float, float]]) -> int:
    for name in _EXPECTED:
        if name not in seen:
            print(f"{name}: NOT TOLD")
            continue
        after_s, problem = seen[name]
        print(f"{name}: told after {after_s:.1f} s: {problem.layer}: {problem.reason}. {problem.repair}")
    longest = max(gaps)
    print(f"longest gap {longest[0]:.0f} ms of {len(gaps)}; own work in a gap at most {max(w for _, w in gaps):.0f} ms")
    told = len(seen) == len(_EXPECTED) and all(after_s <= _LIMIT_S for after_s, _ in seen.values())
    return 0 if told else 1


def _turn() -> None:
    """Let the event loop do what waits, and draw."""
    loop = QEventLoop()
    QTimer.singleShot(50, loop.quit)
    loop.exec()


def _until(condition: Callable[[], bool]) -> None:
    loop, began = QEventLoop(), time.monotonic()
    check = QTimer()
    check.setInterval(20)
    check.timeout.connect(lambda: loop.quit() if condition() or time.monotonic() - began > _PATIENCE_S else None)
    check.start()
    loop.exec()
    check.stop()


if __name__ == "__main__":
    main()
