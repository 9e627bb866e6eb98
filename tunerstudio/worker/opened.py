"""A study as a worker holds it: document, data, and what builds its models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tunerstudio.study.document import StudyDocument
from tunerstudio.study.hyperparameters import Scalar, SearchSpace
from tunerstudio.study.model import BlocksModel, CodeModel
from tunerstudio.study.network import resolve_argument
from tunerstudio.study.preprocessing import TRAIN, VALIDATION, TargetPlan
from tunerstudio.study.search import RateReduction
from tunerstudio.worker.hypermodels import BlocksHypermodel, Hypermodel
from tunerstudio.worker.preload import import_keras_tuner
from tunerstudio.worker.prepared import PreparedFolder
from tunerstudio.worker.preprocessing import features
from tunerstudio.worker.rows_on_disk import rows_of
from tunerstudio.worker.training import FitPlan, TrainingArrays

_SAMPLE = 8
"""Rows that are enough for code to look at."""


@dataclass(frozen=True)
class NetworkStudy:
    """A study whose trials train Keras models.

    Attributes:
        document: The study document.
        data: The prepared data.
        features: float32 (rows, ...) of all rows.
        hypermodel: Builds the models.
        arrays: What trials train on; see `arrays_for`.
        space: Of a code model: what `build(hp)` declared; None for blocks.
    """

    document: StudyDocument
    data: PreparedFolder
    features: np.ndarray
    hypermodel: Hypermodel
    arrays: TrainingArrays
    space: SearchSpace | None = None

    def fit_plan(self, values: Mapping[str, Scalar], seed: int, epochs: int, initial_epoch: int = 0) -> FitPlan:
        """How one execution with `values` is trained."""
        training = self.document.training
        batch_size = resolve_argument(training.batch_size, "batch_size", values)
        early, reduce = training.early_stopping, training.reduce_rate
        if early is not None:
            patience = resolve_argument(early.patience, "patience", values)
            early = early.model_copy(update={"patience": int(str(patience))})
        if reduce is not None:
            waits = resolve_argument(reduce.patience, "rate_patience", values)
            factor = resolve_argument(reduce.factor, "rate_factor", values)
            reduce = RateReduction(patience=int(str(waits)), factor=float(str(factor)))
        return FitPlan(
            epochs=epochs,
            initial_epoch=initial_epoch,
            batch_size=int(str(batch_size)),
            seed=seed,
            objective=self.document.search.objective,
            class_weight=self._class_weight(values),
            early_stopping=early,
            reduce_rate=reduce,
        )

    def arrays_for(self, model: Any) -> TrainingArrays:
        """The arrays with targets as the compiled `model` wants them: one-hot for categorical cross-entropy."""
        return self._one_hot_arrays if self._is_classes and wants_one_hot(model) else self.arrays

    @property
    def _is_classes(self) -> bool:
        return self.data.plan.target.task != "regression"

    @cached_property
    def _one_hot_arrays(self) -> TrainingArrays:
        arrays, classes = self.arrays, len(self.data.plan.target.classes)
        return replace(
            arrays, y_train=one_hot(arrays.y_train, classes), y_validation=one_hot(arrays.y_validation, classes)
        )

    def _class_weight(self, values: Mapping[str, Scalar]) -> dict[int, float] | None:
        how = resolve_argument(self.document.training.class_weight, "class_weight", values)
        if how != "balanced" or self.data.plan.target.task == "regression":
            return None
        counts = np.bincount(self.arrays.y_train.reshape(-1).astype("int64"))
        present = int((counts > 0).sum())
        return {number: float(counts.sum() / (present * count)) for number, count in enumerate(counts) if count}


def open_blocks(document: StudyDocument, model: BlocksModel, data_folder: Path) -> NetworkStudy:
    """Open a study with a blocks model.

    Raises:
        DataError: If the prepared data cannot be read.
    """
    data = PreparedFolder.open(data_folder)
    rows = features(data)
    hypermodel = BlocksHypermodel(document, model, data.plan.target, rows.shape[1:], data.plan.word_numbers)
    return NetworkStudy(document, data, rows, hypermodel, training_arrays(data, rows, standardised=True))


def open_code(document: StudyDocument, model: CodeModel, folder: Path, data_folder: Path) -> NetworkStudy:
    """Open a study with a code model; `folder` is the study's.

    Raises:
        DataError: If the prepared data cannot be read.
        ModelError: If the code cannot be loaded or builds no model at its defaults.
    """
    import_keras_tuner()
    from tunerstudio.worker.code import CodeHypermodel

    data = PreparedFolder.open(data_folder)
    rows = features(data)
    arrays = training_arrays(data, rows, standardised=False)
    hypermodel = CodeHypermodel.load((folder / model.file).resolve(), model.entry, rows.shape[1:])
    space = hypermodel.space(lambda: (arrays.x_train[:_SAMPLE], arrays.y_train[:_SAMPLE]))
    return NetworkStudy(document, data, rows, hypermodel, arrays, space)


def wants_one_hot(model: Any) -> bool:
    """Whether a compiled model's loss takes one-hot targets."""
    loss = model.loss
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    known = {"categorical_crossentropy", "categorical_focal_crossentropy", "CategoricalCrossentropy"}
    return name in known or isinstance(loss, keras.losses.CategoricalFocalCrossentropy)


def training_arrays(data: PreparedFolder, rows: np.ndarray, standardised: bool) -> TrainingArrays:
    """The arrays of the training and validation parts; `standardised` says in which units a regression learns."""
    train, validation = data.rows(TRAIN), data.rows(VALIDATION)
    weights = data.weights
    return TrainingArrays(
        x_train=rows_of(rows, train),
        y_train=target_rows(data, train, standardised),
        x_validation=rows_of(rows, validation),
        y_validation=target_rows(data, validation, standardised),
        weights_train=None if weights is None else np.asarray(weights[train]),
        weights_validation=None if weights is None else np.asarray(weights[validation]),
    )


def target_rows(data: PreparedFolder, rows: np.ndarray, standardised: bool) -> np.ndarray:
    """The target of some rows, in the shape and type that `TrainingArrays` describes."""
    plan, target = data.plan.target, np.asarray(data.target[rows])
    if plan.task == "multiclass":
        return target.astype("int64")
    if plan.task == "binary":
        return target.astype("float32").reshape(-1, 1)
    standard = target.astype("float32").reshape(-1, plan.outputs)
    return standard if standardised else in_user_units(standard, plan)


def one_hot(numbers: np.ndarray, classes: int) -> np.ndarray:
    """Class numbers (rows,) or (rows, 1) as float32 (rows, classes)."""
    rows: np.ndarray = np.eye(classes, dtype="float32")[numbers.reshape(-1).astype("int64")]
    return rows


def in_user_units(standardised: np.ndarray, plan: TargetPlan) -> np.ndarray:
    """A regression's target or prediction (rows, targets) in the user's units, float32."""
    offset, scale = np.asarray(plan.offset, "float32"), np.asarray(plan.scale, "float32")
    scaled: np.ndarray = standardised * scale + offset
    return scaled
