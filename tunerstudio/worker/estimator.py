"""Estimators of scikit-learn: a pipeline from raw rows to class names or values, cross-validated.

Each fold is an execution: imputation, scaling and encoding are fitted inside it, on its training rows alone. The saved
model is fitted anew on all training and validation rows.
"""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import ModelError, suggest
from tunerstudio.study.hyperparameters import Scalar
from tunerstudio.study.model import EstimatorModel
from tunerstudio.study.network import resolve_argument, resolve_arguments
from tunerstudio.study.preprocessing import CategoricalInput, TextInput
from tunerstudio.worker.estimator_scores import class_scores, value_scores
from tunerstudio.worker.layers import first_sentence
from tunerstudio.worker.opened import in_user_units
from tunerstudio.worker.prepared import PreparedFolder

_MODULES = (
    "ensemble",
    "linear_model",
    "svm",
    "neighbors",
    "tree",
    "neural_network",
    "naive_bayes",
    "discriminant_analysis",
    "gaussian_process",
    "kernel_ridge",
    "cross_decomposition",
    "dummy",
)

_TEXT_WORDS = 2000
"""Words of a text that an estimator gets, each weighted by how rare it is."""

Fold = tuple[np.ndarray, np.ndarray]
"""Row numbers to fit on, and row numbers to score."""


@dataclass(frozen=True)
class EstimatorData:
    """Raw rows as an estimator's pipeline takes them.

    Attributes:
        data: The prepared data.
    """

    data: PreparedFolder

    @cached_property
    def rows(self) -> np.ndarray:
        """Raw features of all rows, one column per column of the data: float64, or object if some are text.

        Windows have a column per column and step, oldest first.
        """
        blocks = list(self.data.raw(slice(None)).values())
        flat = [block.reshape(len(block), -1) for block in blocks]
        if any(block.dtype.kind in "UO" for block in flat):
            flat = [block.astype(object) for block in flat]
            mixed: np.ndarray = np.concatenate(flat, axis=1)
            return mixed
        numbers: np.ndarray = np.concatenate(flat, axis=1).astype("float64")
        return numbers

    @cached_property
    def target(self) -> np.ndarray:
        """What is predicted, for all rows: class names (rows,), or values in the user's units (rows, targets)."""
        plan = self.data.plan.target
        if plan.task == "regression":
            return in_user_units(np.asarray(self.data.target).reshape(-1, plan.outputs), plan).astype("float64")
        names: np.ndarray = np.asarray(plan.classes)[np.asarray(self.data.target)]
        return names

    @property
    def is_classifier(self) -> bool:
        """Whether classes are predicted."""
        return self.data.plan.target.task != "regression"

    def evaluate(self, pipeline: Any, rows: np.ndarray) -> dict[str, float]:
        """Metrics of a fitted pipeline on some rows, without `val_`."""
        weights = None if self.data.weights is None else np.asarray(self.data.weights[rows], "float64")
        plan = self.data.plan.target
        predicted = pipeline.predict(self.rows[rows])
        if not self.is_classifier:
            return value_scores(self.target[rows], np.asarray(predicted).reshape(len(rows), -1), plan, weights)
        numbers = {name: number for number, name in enumerate(plan.classes)}
        guess = np.array([numbers[str(name)] for name in predicted])
        truth = np.asarray(self.data.target[rows]).astype("int64")
        return class_scores(truth, guess, self._probability(pipeline, rows), len(plan.classes), weights)

    def _probability(self, pipeline: Any, rows: np.ndarray) -> np.ndarray | None:
        if not hasattr(pipeline, "predict_proba"):
            return None
        given = pipeline.predict_proba(self.rows[rows])
        known = {str(name): place for place, name in enumerate(pipeline.classes_)}
        zeros = np.zeros(len(rows))  # of a class that had no row to learn from
        return np.stack(
            [given[:, known[name]] if name in known else zeros for name in self.data.plan.target.classes], axis=1
        )


@dataclass(frozen=True)
class EstimatorStudy(EstimatorData):
    """A study whose trials cross-validate an estimator.

    Attributes:
        document: The study document.
        model: The document's model.
    """

    document: StudyDocument
    model: EstimatorModel

    def pipeline(self, values: Mapping[str, Scalar], seed: int) -> Any:
        """An unfitted pipeline: impute, scale, one-hot encode, estimate.

        Raises:
            ModelError: If there is no such estimator, or an argument is wrong.
        """
        from sklearn.pipeline import Pipeline

        arguments = resolve_arguments(self.model.arguments, values)
        estimator = make_estimator(self.model.estimator, arguments, self.is_classifier)
        if "random_state" in estimator.get_params() and "random_state" not in arguments:
            estimator.set_params(random_state=seed % 2**32)
        return Pipeline([("prepare", self._preparation()), ("estimator", estimator)])

    def _preparation(self) -> Any:
        from sklearn.compose import ColumnTransformer
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

        numbers, words, texts = self._columns()
        how = self.document.data.missing
        fill: dict[str, Any] = {"strategy": "constant", "fill_value": 0.0} if how == "zero" else {"strategy": how}
        steps: list[tuple[str, Any]] = [("impute", SimpleImputer(keep_empty_features=True, **fill))]
        scalers = {"standard": StandardScaler, "minmax": MinMaxScaler}
        if self.document.data.scaling in scalers:
            steps.append(("scale", scalers[self.document.data.scaling]()))
        parts: list[tuple[str, Any, list[int] | int]] = []
        if numbers:
            parts.append(("numbers", Pipeline(steps), numbers))
        if words:
            parts.append(("words", OneHotEncoder(handle_unknown="ignore", sparse_output=False), words))
        for place in texts:
            parts.append((f"text_{place}", TfidfVectorizer(max_features=_TEXT_WORDS, sublinear_tf=True), place))
        return ColumnTransformer(parts, sparse_threshold=0.0)

    def _columns(self) -> tuple[list[int], list[int], list[int]]:
        """Places of the columns with numbers, of those with names and of those with running text."""
        numbers: list[int] = []
        words: list[int] = []
        texts: list[int] = []
        place = 0
        sample = self.data.raw(slice(0, 1))
        for spec in self.data.plan.inputs:
            width = int(np.prod(sample[spec.name].shape[1:]))
            named = words if isinstance(spec, CategoricalInput) else numbers
            (texts if isinstance(spec, TextInput) else named).extend(range(place, place + width))
            place += width
        return numbers, words, texts

    def fit(self, pipeline: Any, rows: np.ndarray, values: Mapping[str, Scalar]) -> None:
        """Fit a pipeline on some rows, with their weights; `values` say whether classes are weighed.

        Raises:
            ModelError: If the estimator refuses the data or cannot use the weights.
        """
        target = self.target[rows]
        if not self.is_classifier and target.shape[1] == 1:
            target = target[:, 0]
        weights = self._fit_weights(pipeline, rows, values)
        extra = {} if weights is None else {"estimator__sample_weight": weights}
        try:
            pipeline.fit(self.rows[rows], target, **extra)
        except Exception as error:  # scikit-learn raises many kinds; each becomes a sentence about the estimator
            raise ModelError(
                f"{self.model.estimator} cannot be fitted: {first_sentence(error)}", traceback.format_exc()
            ) from error

    def _fit_weights(self, pipeline: Any, rows: np.ndarray, values: Mapping[str, Scalar]) -> np.ndarray | None:
        from sklearn.utils.class_weight import compute_sample_weight
        from sklearn.utils.validation import has_fit_parameter

        how = resolve_argument(self.document.training.class_weight, "class_weight", values)
        balanced = how == "balanced" and self.is_classifier
        weights = None if self.data.weights is None else np.asarray(self.data.weights[rows], "float64")
        if balanced:
            by_class = compute_sample_weight("balanced", self.target[rows])
            weights = by_class if weights is None else weights * by_class
        if weights is not None and not has_fit_parameter(pipeline.named_steps["estimator"], "sample_weight"):
            cause = "training.class_weight is balanced" if balanced else "the data has a column of sample weights"
            raise ModelError(
                f"{self.model.estimator} cannot use weights, but {cause}: choose another estimator or none of them."
            )
        return weights

    def folds(self) -> list[Fold]:
        """Rows to fit on and rows to score, for every fold; the same in all trials.

        Raises:
            ModelError: If there are fewer rows than folds.
        """
        rows = self.data.search_rows
        if len(rows) < self.model.folds:
            raise ModelError(
                f"model.folds: {len(rows)} rows cannot be divided into {self.model.folds} folds; use fewer."
            )
        return [(rows[train], rows[score]) for train, score in self._divide(rows)]

    def _divide(self, rows: np.ndarray) -> Iterator[Fold]:
        from sklearn.model_selection import KFold, StratifiedKFold, TimeSeriesSplit

        if self.data.plan.past:  # nothing is learned from what comes later
            yield from TimeSeriesSplit(self.model.folds, gap=self._unknown_yet()).split(rows)
            return
        split, folds = self.document.data.split, self.model.folds
        ordered = split.method == "ordered"
        how: dict[str, Any] = {"shuffle": not ordered, "random_state": None if ordered else split.seed % 2**32}
        if self.is_classifier and split.stratified:
            _, counts = np.unique(self.target[rows], return_counts=True)
            if counts.min() >= folds:
                yield from StratifiedKFold(folds, **how).split(rows, self.target[rows])
                return
        yield from KFold(folds, **how).split(rows)

    def _unknown_yet(self) -> int:
        """Targets in front of a fold that are not known when its first prediction is made."""
        window = self.document.data.window
        return 0 if window is None else max(0, window.horizon - 1)


def make_estimator(name: str, arguments: Mapping[str, Any], classifier: bool) -> Any:
    """An estimator by its class name.

    Raises:
        ModelError: If there is no such estimator, it does not fit the task, or an argument is unknown or wrong.
    """
    from sklearn.base import is_classifier, is_regressor

    found = _find(name)
    known = set(found._get_param_names())
    for argument in arguments:
        if argument not in known:
            raise ModelError(f"model.arguments: {name} has no argument {argument!r}.{suggest(argument, known)}")
    try:
        estimator = found(**arguments)
    except TypeError as error:
        raise ModelError(f"model.estimator: {name} cannot be made: {first_sentence(error)}") from error
    fits = is_classifier(estimator) if classifier else is_regressor(estimator)
    if not fits:
        wanted, given = ("a classifier", "values") if classifier else ("a regressor", "classes")
        raise ModelError(f"model.estimator: {name} predicts {given}, but this task needs {wanted}.")
    return estimator


def _find(name: str) -> Any:
    names: list[str] = []
    for module_name in _MODULES:
        module = importlib.import_module(f"sklearn.{module_name}")
        found = getattr(module, name, None)
        if isinstance(found, type) and hasattr(found, "fit"):
            return found
        names.extend(getattr(module, "__all__", ()))
    raise ModelError(f"model.estimator: scikit-learn has no estimator {name!r}.{suggest(name, names)}")


def open_estimator(document: StudyDocument, model: EstimatorModel, data_folder: Path) -> EstimatorStudy:
    """Open a study with an estimator.

    Raises:
        DataError: If the prepared data cannot be read.
    """
    return EstimatorStudy(PreparedFolder.open(data_folder), document, model)
