"""scikit-learn's bundled data sets as tables."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tunerstudio.data.tables import MemoryTable
from tunerstudio.study.data import BundledName, FileFormat


@dataclass(frozen=True)
class _Set:
    """One bundled set.

    Attributes:
        title: What it is called on screen.
        target: Name of the target column.
        classes: Names of the classes in order of scikit-learn's class numbers; empty for numbers.
    """

    title: str
    target: str
    classes: tuple[str, ...] = ()


_SETS: dict[BundledName, _Set] = {
    "breast_cancer": _Set("Breast cancer (Wisconsin, diagnostic)", "diagnosis", ("malignant", "benign")),
    "digits": _Set("Handwritten digits", "digit", tuple("0123456789")),
    "wine": _Set("Wine recognition", "class", ("class_0", "class_1", "class_2")),
    "iris": _Set("Iris plants", "species", ("setosa", "versicolor", "virginica")),
    "diabetes": _Set("Diabetes progression", "target"),
}


def bundled_table(name: BundledName) -> MemoryTable:
    """The set with its feature columns in scikit-learn's order and the target last."""
    from sklearn import datasets  # takes a second; only for who asks

    about = _SETS[name]
    options = {"scaled": False} if name == "diabetes" else {}
    bunch = getattr(datasets, f"load_{name}")(**options)
    values = np.asarray(bunch.data, dtype=np.float64)
    names = [str(column).replace(" ", "_").replace("(", "").replace(")", "") for column in bunch.feature_names]
    columns = [pa.array(values[:, index]) for index in range(values.shape[1])]
    if about.classes:
        target = pa.array([about.classes[number] for number in np.asarray(bunch.target)], pa.string())
    else:
        target = pa.array(np.asarray(bunch.target, dtype=np.float64))
    return MemoryTable(
        title=about.title,
        names=(*names, about.target),
        format=FileFormat(missing=()),
        batch=pa.RecordBatch.from_arrays([*columns, target], names=[*names, about.target]),
        facts=("bundled with scikit-learn",),
        targets=(about.target,),
    )


def bundled_fingerprint(name: BundledName) -> str:
    """SHA-256 of the set's name and of scikit-learn's version, in hexadecimal."""
    import sklearn

    return hashlib.sha256(f"scikit-learn {sklearn.__version__} {name}".encode()).hexdigest()
