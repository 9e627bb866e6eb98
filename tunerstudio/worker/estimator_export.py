"""Saved estimators: one `.skops` file, which holds data and no code, unlike a pickle."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tunerstudio.protocol.worker import ExportModel, ModelExported
from tunerstudio.study.errors import ModelError
from tunerstudio.study.files import write_atomically
from tunerstudio.study.preprocessing import TEST, VALIDATION, ArrayInput, PreparedData
from tunerstudio.worker.estimator import EstimatorData, EstimatorStudy
from tunerstudio.worker.how_to_load import number
from tunerstudio.worker.layers import first_sentence
from tunerstudio.worker.prepared import PreparedFolder
from tunerstudio.worker.trial import finite

MODEL_FILE = "model.skops"


def export_estimator(study: EstimatorStudy, command: ExportModel) -> ModelExported:
    """Fit on all training and validation rows, save, and evaluate.

    The validation rows are among those it was fitted on: only the test part and the cross-validated score of the
    trial tell how good it is on new rows.

    Raises:
        ModelError: If it cannot be fitted or saved.
    """
    import skops.io

    pipeline = study.pipeline(command.values, command.seed)
    study.fit(pipeline, study.data.search_rows, command.values)
    try:
        content = skops.io.dumps(pipeline)
    except (TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{study.model.estimator} cannot be saved: {first_sentence(error)}") from error
    write_atomically(Path(command.to) / MODEL_FILE, content)
    return ModelExported(
        trial=command.trial,
        file=MODEL_FILE,
        parameters=None,
        validation=_measure(study, pipeline, VALIDATION),
        test=_measure(study, pipeline, TEST),
        summary=f"Fitted on all training and validation rows ({len(study.data.search_rows)}).\n{pipeline}",
        how_to_load=_lines(study),
    )


def verify_estimator(path: Path, data: PreparedFolder) -> dict[str, float]:
    """Load a `.skops` file, trusting only scikit-learn's own types, and measure it on the validation part.

    Raises:
        ModelError: If the file is damaged or holds anything else.
    """
    import skops.io

    try:
        types = skops.io.get_untrusted_types(file=path)
        foreign = [name for name in types if not is_harmless(name)]
        if foreign:
            raise ModelError(f"{path.name} holds types that are not scikit-learn's own: {', '.join(foreign)}.")
        pipeline = skops.io.load(path, trusted=types)
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path.name} cannot be loaded: {first_sentence(error)}") from error
    return _measure(EstimatorData(data), pipeline, VALIDATION)


def is_harmless(type_name: str) -> bool:
    """Whether a type that skops does not know by itself is one of scikit-learn's or NumPy's."""
    return type_name == "numpy.dtype" or type_name.startswith("sklearn.")


def _measure(study: EstimatorData, pipeline: Any, part: int) -> dict[str, float]:
    rows = study.data.rows(part)
    return finite(study.evaluate(pipeline, rows)) if len(rows) else {}


def _names(plan: PreparedData) -> Iterator[str]:
    """What each number of a row is."""
    for spec in plan.inputs:
        columns = (spec.name,) if isinstance(spec, ArrayInput) else spec.columns
        if plan.past and len(columns) == 1:
            yield f"{columns[0]} ({plan.past} rows, oldest first)"
        elif plan.past:
            yield f"{', '.join(columns)} (all of them {plan.past} times, oldest first)"
        else:
            yield from columns


def _lines(study: EstimatorStudy) -> str:
    row = study.rows[study.data.rows(VALIDATION)[0]]
    cells = [repr(str(cell)) if isinstance(cell, str) else number(np.float32(cell)) for cell in row]
    names = list(_names(study.data.plan))
    return "\n".join(
        [
            "import numpy as np",
            "import skops.io",
            "",
            f'unknown = skops.io.get_untrusted_types(file="{MODEL_FILE}")',
            'assert all(name == "numpy.dtype" or name.startswith("sklearn.") for name in unknown), unknown',
            f'model = skops.io.load("{MODEL_FILE}", trusted=unknown)',
            f"# columns: {', '.join(names)}",
            f"rows = np.array([[{', '.join(cells)}]], dtype={study.rows.dtype.name!r})",
            "print(model.predict(rows)[0])",
        ]
    )
