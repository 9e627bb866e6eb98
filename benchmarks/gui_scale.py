"""How long the window stands still while the Run page takes in a large history and a person works with it.

    QT_QPA_PLATFORM=offscreen PYTHONPATH=. python benchmarks/gui_scale.py [--trials 10000]

Trials and epochs arrive in batches as the search worker sends them. A timer that is due every few milliseconds
measures the longest gap of the event loop in each phase: loading, watching live epochs, sorting, filtering, selecting,
looking at each tab. "Longest gap" is what a person feels as a hitch on this machine as it is loaded now; "longest
work" is the processor time of the window's own thread between two turns, which other programs do not lengthen.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, thread_time

import numpy as np
from PySide6.QtCore import QEventLoop, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.history_memory import HistoryMemory
from tunerstudio.gui.pages.run import RunPage
from tunerstudio.gui.services import Services
from tunerstudio.gui.theme import Theme
from tunerstudio.study.data import BundledSource, Data
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.search import Budget, Objective, Search, Training
from tunerstudio.study.trials import Epoch, Execution, Trial, TrialState

EPOCHS = 5
BATCH_TRIALS = 400
BATCH_EPOCHS = 1000
BATCH_PAUSE_MS = 50


class GapMeter(QObject):
    """Longest time between two turns of the event loop, by the clock and by processor time."""

    def __init__(self) -> None:
        super().__init__()
        self.restart()
        timer = QTimer(self)
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(self._tick)
        timer.start(1)

    def restart(self) -> None:
        """Forget what was measured."""
        self.longest_ms = self.longest_work_ms = 0.0
        self._last_s, self._last_work_s = perf_counter(), thread_time()

    def _tick(self) -> None:
        now_s, work_s = perf_counter(), thread_time()
        self.longest_ms = max(self.longest_ms, (now_s - self._last_s) * 1000)
        self.longest_work_ms = max(self.longest_work_ms, (work_s - self._last_work_s) * 1000)
        self._last_s, self._last_work_s = now_s, work_s


def document(trials: int) -> StudyDocument:
    """A study with a budget of `trials`."""
    objective = Objective(name="val_accuracy", direction="max")
    return StudyDocument(
        name="scale",
        data=Data(source=BundledSource(name="breast_cancer")),
        search=Search(objective=objective, budget=Budget(trials=trials + 100)),
        training=Training(epochs=EPOCHS, executions=2),
    )


def make_trial(rng: np.random.Generator, number: int, state: TrialState = TrialState.COMPLETED) -> Trial:
    """One trial with random values and score."""
    scores = rng.normal(0.9 + 0.05 * (1 - 1 / number), 0.02, 2)
    fits = tuple(Execution(i, TrialState.COMPLETED, i, float(s), EPOCHS, EPOCHS) for i, s in enumerate(scores))
    values = {
        "units": int(rng.integers(8, 256)),
        "layers": int(rng.integers(1, 5)),
        "activation": str(rng.choice(["relu", "tanh", "elu"])),
        "learning_rate": float(10 ** rng.uniform(-5, -1)),
        "dropout": float(rng.uniform(0, 0.6)),
        "batch_size": int(rng.choice([16, 32, 64, 128])),
    }
    done = state is TrialState.COMPLETED
    return Trial(
        number=number,
        state=state,
        values=values,
        score=float(scores.mean()) if done else None,
        standard_error=0.01 if done else None,
        executions=fits if done else (),
        epochs_planned=EPOCHS,
        parameters=int(rng.integers(100, 100_000)),
        device="CPU",
        started_at=number * 2.0,
        ended_at=number * 2.0 + 1.8 if done else None,
        duration_s=1.8 if done else 0.0,
    )


def make_epochs(rng: np.random.Generator, number: int) -> list[Epoch]:
    """All epochs of one trial."""
    return [
        Epoch(number, execution, epoch, {"loss": 1 / epoch, "val_accuracy": float(rng.normal(0.9, 0.01))}, epoch * 0.1)
        for execution in range(2)
        for epoch in range(1, EPOCHS + 1)
    ]


class Bench:
    """Runs phases and remembers their gaps."""

    def __init__(self, application: QApplication, meter: GapMeter) -> None:
        self.application = application
        self.meter = meter
        self.rows: list[tuple[str, float, float, float]] = []

    def wait(self, milliseconds: int) -> None:
        """Let the event loop run."""
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def phase(self, name: str, steps: Iterator[Callable[[], object]], pause_ms: int) -> None:
        """Do each step from the event loop, with a pause after it."""
        self.wait(300)
        self.meter.restart()
        start_s = perf_counter()
        for step in steps:
            QTimer.singleShot(0, step)
            self.wait(pause_ms)
        self.wait(500)
        self.rows.append((name, perf_counter() - start_s, self.meter.longest_ms, self.meter.longest_work_ms))


def loading(study: StudyContext, trials: list[Trial], epochs: list[Epoch]) -> Iterator[Callable[[], object]]:
    """The history in batches."""
    for start in range(0, len(trials), BATCH_TRIALS):
        yield lambda start=start: study.add_history(trials[start : start + BATCH_TRIALS], [])
    for start in range(0, len(epochs), BATCH_EPOCHS):
        yield lambda start=start: study.add_history([], epochs[start : start + BATCH_EPOCHS])


def live(study: StudyContext, rng: np.random.Generator, first: int) -> Iterator[Callable[[], object]]:
    """Ten trials, epoch by epoch."""
    for number in range(first, first + 10):
        running, reports = make_trial(rng, number, TrialState.RUNNING), make_epochs(rng, number)
        yield lambda running=running: study.add_history([running], [])
        for report in reports:
            yield lambda report=report: study.add_history([], [report])
        yield lambda number=number: study.add_history([make_trial(rng, number)], [])


def run(count: int) -> list[tuple[str, float, float, float]]:
    """All phases: name, seconds, longest gap and longest work in milliseconds."""
    application = QApplication(sys.argv[:1])
    theme = Theme(application, "light")
    rng = np.random.default_rng(0)
    trials = [make_trial(rng, number) for number in range(1, count + 1)]
    epochs = [epoch for number in range(1, count + 1) for epoch in make_epochs(rng, number)]
    with tempfile.TemporaryDirectory() as folder:
        study = StudyContext(Path(folder), document(count))
        HistoryMemory(study)
        page = RunPage(theme, Services())
        page.resize(1600, 900)
        page.set_study(study)
        page.show()
        study.set_search_state("running")
        view = page.view
        assert view is not None
        bench = Bench(application, GapMeter())
        gc.collect()
        bench.phase("load", loading(study, trials, epochs), BATCH_PAUSE_MS)
        bench.phase("live epochs", live(study, rng, count + 1), BATCH_PAUSE_MS)
        table = view.trials.view
        orders = (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder)
        bench.phase("sort", (lambda c=c, o=o: table.sortByColumn(c, o) for c in (2, 3, 5) for o in orders), 200)
        box = view.trials.filter_box
        bench.phase("filter", (lambda t=t: box.setText(t) for t in ("units>100", "relu", "score>0.95 elu", "")), 400)
        bench.phase("select", (lambda n=n: study.select([n, n + 1]) for n in range(1, count, max(count // 10, 1))), 200)
        for place in range(view.tabs.count()):
            name = view.tabs.tabText(place)
            bench.phase(f"tab {name}", iter([lambda place=place: view.tabs.setCurrentIndex(place)]), 500)
        bench.phase("dark", iter([lambda: theme.set_mode("dark")]), 500)
        page.close()
    return bench.rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000)
    arguments = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    rows = run(arguments.trials)
    print(f"{arguments.trials} trials, {arguments.trials * 2 * EPOCHS} epochs")
    print(f"{'phase':<20}{'time':>10}{'longest gap':>15}{'longest work':>15}")
    for name, seconds, gap_ms, work_ms in rows:
        print(f"{name:<20}{seconds:>8.1f} s{gap_ms:>12.0f} ms{work_ms:>12.0f} ms")


if __name__ == "__main__":
    main()
