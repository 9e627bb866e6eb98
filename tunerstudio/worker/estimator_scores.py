"""Metrics of scikit-learn estimators, under the names and with the meaning of the networks' metrics."""

from __future__ import annotations

from typing import Any

import numpy as np

from tunerstudio.study.preprocessing import TargetPlan

_SMALLEST = 1e-7
"""Probabilities are kept this far from 0 and 1 in the loss, as Keras does."""


def class_scores(
    truth: np.ndarray, guess: np.ndarray, probability: np.ndarray | None, classes: int, weights: np.ndarray | None
) -> dict[str, float]:
    """Metrics of a classifier.

    Args:
        truth: Class numbers, (rows,).
        guess: Predicted class numbers, (rows,).
        probability: (rows, classes), or None for an estimator that gives none.
        classes: How many classes there are.
        weights: Sample weights (rows,), or None.
    """
    from sklearn import metrics as known  # late: only estimators need it

    average: dict[str, Any] = {"average": "binary" if classes == 2 else "macro", "zero_division": 0.0}
    scores = {
        "accuracy": known.accuracy_score(truth, guess, sample_weight=weights),
        "precision": known.precision_score(truth, guess, sample_weight=weights, **average),
        "recall": known.recall_score(truth, guess, sample_weight=weights, **average),
        "f1_score": known.f1_score(truth, guess, sample_weight=weights, **average),
    }
    if probability is not None:
        scores.update(_probability_scores(truth, probability, classes, weights))
    return {name: float(score) for name, score in scores.items()}


def _probability_scores(
    truth: np.ndarray, probability: np.ndarray, classes: int, weights: np.ndarray | None
) -> dict[str, float]:
    from sklearn import metrics as known  # late: only estimators need it

    one_hot = np.eye(classes)[truth]
    likelihood = np.clip(probability[np.arange(len(truth)), truth], _SMALLEST, 1.0 - _SMALLEST)
    squares = ((probability - one_hot) ** 2).sum(axis=1)
    scores = {
        "loss": np.average(-np.log(likelihood), weights=weights),
        "brier": np.average(squares / 2 if classes == 2 else squares, weights=weights),
    }
    if len(np.unique(truth)) == classes:  # the area is not defined without a row of each class
        by_class = [
            known.roc_auc_score(one_hot[:, number], probability[:, number], sample_weight=weights)
            for number in ([1] if classes == 2 else range(classes))
        ]
        scores["auc"] = np.mean(by_class)
    return {name: float(score) for name, score in scores.items()}


def value_scores(
    truth: np.ndarray, guess: np.ndarray, target: TargetPlan, weights: np.ndarray | None
) -> dict[str, float]:
    """Metrics of a regressor from (rows, targets) in the user's units; `loss` is of the standardised target."""
    from sklearn import metrics as known  # late: only estimators need it

    error = guess - truth
    square = (error**2).mean(axis=1)
    standard = ((error / np.asarray(target.scale)) ** 2).mean(axis=1)
    relative = np.abs(error / np.maximum(np.abs(truth), _SMALLEST)).mean(axis=1)
    mse = float(np.average(square, weights=weights))
    scores = {
        "loss": float(np.average(standard, weights=weights)),
        "mae": float(np.average(np.abs(error).mean(axis=1), weights=weights)),
        "mse": mse,
        "rmse": mse**0.5,
        "mape": 100.0 * float(np.average(relative, weights=weights)),
    }
    if len(truth) > 1:
        scores["r2_score"] = float(known.r2_score(truth, guess, sample_weight=weights))
    return scores
