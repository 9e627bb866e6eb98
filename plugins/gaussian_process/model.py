"""A Gaussian process: Matérn 5/2 kernel with one length scale per hyperparameter, noise fitted, analytic gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.linalg import cho_solve, cholesky, lapack, solve_triangular
from scipy.optimize import minimize

Array = np.ndarray

_JITTER: Final = 1e-8

# Priors, normal on the logarithm: (mean, standard deviation). Length scales grow with the number of hyperparameters,
# so that the prior function is about as wild in twenty dimensions as in two. Found on tables of real trainings: longer
# or freer length scales send the early trials of continuous spaces to the corners.
_LENGTH_PRIOR: Final = (-0.7, 0.7)
_SCALE_PRIOR: Final = (0.0, 1.0)
_NOISE_PRIOR: Final = (-5.0, 2.0)
_BOUNDS: Final = ((-8.0, 6.0), (-3.0, 3.0), (-12.0, 0.5))
"""Of log inverse squared length scales, log variance and log noise."""


@dataclass(frozen=True)
class Parameters:
    """What is fitted, all logarithms.

    Attributes:
        weights: Inverse squared length scale of each hyperparameter.
        scale: Variance of the function.
        noise: Variance of the noise.
    """

    weights: Array
    scale: float
    noise: float

    def pack(self) -> Array:
        """One vector."""
        return np.concatenate([self.weights, [self.scale, self.noise]])

    @staticmethod
    def unpack(vector: Array) -> Parameters:
        """The inverse of `pack`."""
        return Parameters(vector[:-2], float(vector[-2]), float(vector[-1]))

    @staticmethod
    def prior(axes: int) -> Parameters:
        """Where a fit starts that knows nothing."""
        return Parameters(np.full(axes, -2 * _length_mean(axes)), _SCALE_PRIOR[0], _NOISE_PRIOR[0])

    def to_text(self) -> str:
        """Short text for a trial's tags."""
        return " ".join(f"{number:.3f}" for number in self.pack())

    @staticmethod
    def from_text(text: str, axes: int) -> Parameters | None:
        """The inverse of `to_text`; None if it is of another space."""
        vector = np.array([float(word) for word in text.split()])
        return Parameters.unpack(vector) if len(vector) == axes + 2 else None


class GaussianProcess:
    """A fitted process.

    Args:
        features: One row per observation.
        groups: Of each feature column, the index of its hyperparameter.
        targets: One per observation; about standard normal.
        parameters: From `fit`.
    """

    def __init__(self, features: Array, groups: Array, targets: Array, parameters: Parameters) -> None:
        self.parameters = parameters
        self._roots = np.sqrt(5.0 * np.exp(parameters.weights))[groups]
        self._scale = np.exp(parameters.scale)
        self._points = features * self._roots
        covariance = self._covariance(self._points)
        covariance[np.diag_indices_from(covariance)] += np.exp(parameters.noise) + _JITTER
        self._factor = cholesky(covariance, lower=True, check_finite=False)
        ones = cho_solve((self._factor, True), np.ones(len(targets)), check_finite=False)
        self.mean = float(ones @ targets / ones.sum())
        self._solved = cho_solve((self._factor, True), targets - self.mean, check_finite=False)

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Mean and standard deviation (without noise) at each row."""
        cross = self._covariance(features * self._roots)
        mean = self.mean + cross @ self._solved
        half = solve_triangular(self._factor, cross.T, lower=True, check_finite=False)
        variance = self._scale - np.einsum("ij,ij->j", half, half)
        return mean, np.sqrt(np.maximum(variance, 1e-12))

    def draw(self, features: Array, rng: np.random.Generator) -> Array:
        """One function drawn from the posterior, at each row."""
        cross = self._covariance(features * self._roots)
        half = solve_triangular(self._factor, cross.T, lower=True, check_finite=False)
        points = features * self._roots
        joint = self._scale * _matern(_squares(points, points)) - half.T @ half
        joint[np.diag_indices_from(joint)] += 1e-6
        root = cholesky(joint, lower=True, check_finite=False)
        drawn: Array = self.mean + cross @ self._solved + root @ rng.standard_normal(len(features))
        return drawn

    def _covariance(self, points: Array) -> Array:
        covariance: Array = self._scale * _matern(_squares(points, self._points))
        return covariance


def fit(features: Array, groups: Array, targets: Array, start: Parameters, steps: int) -> tuple[Parameters, float]:
    """The most probable parameters near `start`.

    Returns:
        The parameters and their negative log posterior density.
    """
    axes = len(start.weights)
    squares = _squares_by_axis(features, groups, axes)
    bounds = [_BOUNDS[0]] * axes + [_BOUNDS[1], _BOUNDS[2]]
    low, high = np.array(bounds).T
    result = minimize(
        _negative_log_posterior,
        np.clip(start.pack(), low, high),
        args=(squares, targets),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": steps, "maxfun": steps + 5},
    )
    return Parameters.unpack(result.x), float(result.fun)


def _negative_log_posterior(vector: Array, squares: Array, targets: Array) -> tuple[float, Array]:
    """Value and gradient; `squares` holds the squared distances, one row per hyperparameter."""
    n = len(targets)
    weights, scale, noise = 5.0 * np.exp(vector[:-2]), np.exp(vector[-2]), np.exp(vector[-1])
    distance = np.sqrt(weights @ squares)
    decay = scale * np.exp(-distance)
    kernel = (decay * (1.0 + distance + distance * distance / 3.0)).reshape(n, n)
    covariance = kernel.copy()
    covariance[np.diag_indices(n)] += noise + _JITTER
    factor, failed = lapack.dpotrf(covariance, lower=True, clean=True)
    if failed:
        return 1e10, np.zeros_like(vector)
    inverse, _ = lapack.dpotri(factor, lower=True)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    ones = inverse.sum(axis=0)
    centred = targets - ones @ targets / ones.sum()
    solved = inverse @ centred
    value = 0.5 * centred @ solved + np.log(np.diag(factor)).sum()
    slope = (np.outer(solved, solved) - inverse).ravel()
    gradient = np.empty_like(vector)
    gradient[:-2] = weights * (squares @ (slope * decay * (1.0 + distance))) / 12.0
    gradient[-2] = -0.5 * slope @ kernel.ravel()
    gradient[-1] = -0.5 * noise * slope[:: n + 1].sum()
    prior, prior_gradient = _negative_log_prior(vector)
    return float(value + prior), gradient + prior_gradient


def _negative_log_prior(vector: Array) -> tuple[float, Array]:
    axes = len(vector) - 2
    means = np.array([-2 * _length_mean(axes)] * axes + [_SCALE_PRIOR[0], _NOISE_PRIOR[0]])
    deviations = np.array([2 * _LENGTH_PRIOR[1]] * axes + [_SCALE_PRIOR[1], _NOISE_PRIOR[1]])
    standard = (vector - means) / deviations
    return float(0.5 * standard @ standard), standard / deviations


def _length_mean(axes: int) -> float:
    return _LENGTH_PRIOR[0] + 0.5 * float(np.log(max(axes, 1)))


def _matern(squares: Array) -> Array:
    distance = np.sqrt(squares)
    result: Array = (1.0 + distance + squares / 3.0) * np.exp(-distance)
    return result


def _squares(left: Array, right: Array) -> Array:
    products: Array = left @ right.T
    products *= -2.0
    products += np.einsum("ij,ij->i", left, left)[:, None]
    products += np.einsum("ij,ij->i", right, right)
    np.maximum(products, 0.0, out=products)
    return products


def _squares_by_axis(features: Array, groups: Array, axes: int) -> Array:
    """Squared distances between all rows, (axes, rows * rows)."""
    n = len(features)
    squares = np.zeros((axes, n, n))
    for column, axis in enumerate(groups):
        difference = features[:, column, None] - features[None, :, column]
        squares[axis] += difference * difference
    return squares.reshape(axes, n * n)
