"""Prepared data written by hand, and a worker process to talk to."""

from pathlib import Path

import numpy as np

from tunerstudio.protocol.worker import EpochEnded, OpenStudy, Report, RunTrial, StudyOpened, TrialEnded
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.files import parse_document
from tunerstudio.study.preprocessing import (
    PLAN_FILE,
    CategoricalInput,
    ImageInput,
    InputPlan,
    NumericInput,
    PreparedData,
    TargetPlan,
)
from tunerstudio.worker.commands import CommandHandler
from tunerstudio.worker.training import StopRequest

ROWS = 90
PARTS = (54, 22, 14)


def parts() -> np.ndarray:
    order = np.random.default_rng(0).permutation(ROWS)
    result = np.zeros(ROWS, "int8")
    result[order[PARTS[0] : PARTS[0] + PARTS[1]]] = 1
    result[order[PARTS[0] + PARTS[1] :]] = 2
    return result


def write_prepared(
    folder: Path,
    inputs: tuple[InputPlan, ...],
    target: TargetPlan,
    arrays: dict[str, np.ndarray],
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    plan = PreparedData(
        inputs=inputs, target=target, rows=ROWS, parts=PARTS, fingerprint=folder.name, source="by-hand.csv"
    )
    (folder / PLAN_FILE).write_text(plan.model_dump_json())
    for name, array in {"parts": parts(), "source_rows": np.arange(ROWS), **arrays}.items():
        np.save(folder / f"{name}.npy", array)
    return folder


def table(seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Two numeric columns with holes (one far from zero) and one of words."""
    rng = np.random.default_rng(seed)
    numeric = np.stack([rng.normal(2000.0, 5.0, ROWS), rng.uniform(0.0, 1.0, ROWS)], axis=1).astype("float32")
    numeric[::17, 1] = np.nan
    words = rng.choice(np.array(["red", "green", "", "blue/grey"]), ROWS).reshape(-1, 1)
    return numeric, words


def table_inputs() -> tuple[InputPlan, ...]:
    return (
        NumericInput(name="year", columns=("year",), fill=(2000.0,), offset=(2000.0,), scale=(5.0,)),
        CategoricalInput(name="colour a/b", columns=("colour a/b",), vocabulary=("blue/grey", "green", "red")),
        NumericInput(name="share", columns=("share",), fill=(0.5,), offset=(0.5,), scale=(0.3,)),
    )


def binary_folder(folder: Path, weighted: bool = False) -> Path:
    numeric, words = table()
    target = ((numeric[:, 0] > 2000.0) ^ (words[:, 0] == "red")).astype("int64")
    arrays = {"numeric": numeric, "categorical": words, "target": target}
    if weighted:
        arrays["weights"] = np.linspace(0.1, 3.0, ROWS).astype("float32")
    plan = TargetPlan(columns=("kind",), task="binary", classes=("benign", "malignant"))
    return write_prepared(folder, table_inputs(), plan, arrays)


def regression_folder(folder: Path) -> Path:
    numeric, words = table()
    price = 300.0 + 7.0 * (numeric[:, 0] - 2000.0) + 20.0 * (words[:, 0] == "red")
    target = ((price - 300.0) / 35.0).astype("float32").reshape(-1, 1)
    plan = TargetPlan(columns=("price €/m",), task="regression", offset=(300.0,), scale=(35.0,))
    return write_prepared(folder, table_inputs(), plan, {"numeric": numeric, "categorical": words, "target": target})


def image_folder(folder: Path) -> Path:
    rng = np.random.default_rng(1)
    target = rng.integers(0, 3, ROWS)
    pixels = rng.uniform(0.0, 60.0, (ROWS, 36)).astype("float32")
    for row, number in enumerate(target):
        pixels[row, 12 * number : 12 * number + 12] += 180.0
    inputs = ImageInput.model_validate(
        {"name": "image", "columns": [f"p{n}" for n in range(36)], "shape": {"height": 6, "width": 6}}
    )
    plan = TargetPlan(columns=("digit",), task="multiclass", classes=("zero", "one", "two"))
    return write_prepared(folder, (inputs,), plan, {"numeric": pixels, "target": target.astype("int64")})


BLOCKS = {
    "kind": "blocks",
    "blocks": [
        {
            "layer": "Dense",
            "name": "dense",
            "arguments": {"units": {"tune": "int", "min": 4, "max": 8}, "activation": "relu"},
        }
    ],
    "optimizer": {"name": "Adam", "arguments": {"learning_rate": {"tune": "float", "min": 0.001, "max": 0.1}}},
}
VALUES = {"dense_units": 8, "learning_rate": 0.05}


def document(**changes: object) -> StudyDocument:
    content = {
        "name": "by hand",
        "data": {"source": {"kind": "file", "path": "by-hand.csv"}},
        "model": BLOCKS,
        "search": {"objective": {"name": "val_accuracy", "direction": "max"}},
        "training": {"epochs": 3, "batch_size": 16},
    }
    for name, change in changes.items():
        current = content.get(name)
        mergeable = isinstance(current, dict) and isinstance(change, dict) and name != "model"
        content[name] = {**current, **change} if mergeable else change
    return parse_document(content)


def open_study(doc: StudyDocument, data_folder: Path, folder: Path | None = None) -> OpenStudy:
    return OpenStudy(document=doc, folder=str(folder or data_folder.parent), data_folder=str(data_folder))


class Recorder:
    """Takes reports in place of the engine."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.hook = None

    def __call__(self, report: Report) -> None:
        self.reports.append(report)
        if self.hook is not None:
            self.hook(report)

    def of(self, kind):
        return [report for report in self.reports if isinstance(report, kind)]


class Bench:
    """A worker without the process around it."""

    def __init__(self, doc, data_folder, folder):
        self.reports = Recorder()
        self.handler = CommandHandler(self.reports)
        self.folder = folder
        self.handler.handle(open_study(doc, data_folder, folder))
        assert self.reports.of(StudyOpened), self.reports.reports

    def run(self, values=VALUES, stop=None, number=1, **more):
        self.reports.reports.clear()
        fields = {"epochs": 3, "executions": (0,), "seeds": (5, 6), **more}
        command = RunTrial(trial=number, values=values, folder=str(self.folder / str(number)), **fields)
        self.handler.run_trial(command, stop or StopRequest())
        return self.ended

    @property
    def ended(self):
        assert isinstance(self.reports.reports[-1], TrialEnded)
        return self.reports.reports[-1]

    def curve(self, name="val_loss", execution=0):
        return [one.metrics[name] for one in self.reports.of(EpochEnded) if one.execution == execution]
