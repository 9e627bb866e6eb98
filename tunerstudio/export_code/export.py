"""Writing a study as code: the program, and beside it the data that it reads."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tunerstudio.export_code.data import plain_features, read_plan, save_arrays
from tunerstudio.export_code.notebook import notebook_text
from tunerstudio.export_code.programs import (
    DataShape,
    Program,
    hypermodel_program,
    plain_file_name,
    training_program,
)
from tunerstudio.study.catalogue import load_catalogue
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import TunerStudioError
from tunerstudio.study.files import write_atomically
from tunerstudio.study.hyperparameters import Values

CodeKind = Literal["hypermodel", "script", "notebook"]

ENDINGS: dict[CodeKind, str] = {"hypermodel": "_search.py", "script": "_train.py", "notebook": "_search.ipynb"}
"""What the name of an exported file ends with."""


def code_file_name(name: str, kind: CodeKind) -> str:
    """What the file is called that a study called `name` is exported to."""
    return plain_file_name(name) + ENDINGS[kind]


def export_code(
    document: StudyDocument,
    data_folder: Path,
    kind: CodeKind,
    to: Path,
    values: Values | None = None,
    seed: int = 1,
) -> list[Path]:
    """Write `document` as code to the file `to`, and its data beside it as `<name>_data.npz`.

    Args:
        document: With a model of blocks; for one trial as that trial was trained by.
        data_folder: Prepared data of the study.
        kind: `hypermodel`: a search with Keras Tuner alone; `script`: training of one trial; `notebook`: the search,
            or with `values` the training, as a notebook.
        to: The file; its folder exists.
        values: Of the trial; required for `script`.
        seed: Of the trial's best execution.

    Returns:
        The files that were written.

    Raises:
        TunerStudioError: If the model is not of blocks, or cannot be said in Keras Tuner's words.
        DataError: If the prepared data cannot be read.
        OSError: If the files cannot be written.
    """
    plan = read_plan(data_folder)
    features = plain_features(data_folder, plan)
    arrays = to.with_name(f"{to.stem}_data.npz")
    shape = DataShape(plan.target.task, features.shape[1:], plan.target.outputs, arrays.name)
    program = code_program(document, shape, kind, values, seed)
    text = notebook_text(program) if kind == "notebook" else program.script()
    save_arrays(data_folder, plan, features, arrays)
    write_atomically(to, text.encode())
    return [to, arrays]


def code_program(
    document: StudyDocument, shape: DataShape, kind: CodeKind, values: Values | None, seed: int
) -> Program:
    """The program alone, for showing it before it is written; raises as `export_code`."""
    catalogue = load_catalogue()
    if kind == "hypermodel" or (kind == "notebook" and values is None):
        return hypermodel_program(document, shape, catalogue)
    if values is None:
        raise TunerStudioError("A training script is of one trial: say which.")
    return training_program(document, shape, catalogue, values, seed)
