"""Our search space as Keras Tuner's `HyperParameters`, and values there and back.

Keras Tuner's own arithmetic misses the upper end of some ranges and overshoots others, so its classes are given
ours; choices that it refuses (truth values, mixed types) travel as labels.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tunerstudio.study.hyperparameters import Boolean, Choice, Fixed, Float, Int, Scalar, SearchSpace, Values

_POINTS = 10
"""Values that stand for a continuous range where an oracle lists them, as in Keras Tuner."""


class OracleSpace:
    """The search space in Keras Tuner's terms.

    Args:
        space: Ours.
        keras_tuner: The imported package.

    Attributes:
        hyperparameters: A `keras_tuner.HyperParameters` with all hyperparameters and the defaults as values.
    """

    def __init__(self, space: SearchSpace, keras_tuner: Any) -> None:
        from keras_tuner.src.engine.conditions import Parent  # late: it imports TensorFlow

        self._space = space
        self._labels = {h.name: _labels(h) for h in space.hyperparameters if isinstance(h, Choice) and _needs_labels(h)}
        self._classes = keras_tuner.engine.hyperparameters
        self._parent = Parent
        self.hyperparameters = _faithful(keras_tuner.HyperParameters)()
        self.hyperparameters.merge([self._convert(h) for h in space.hyperparameters])

    def encode(self, values: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """Legal values of ours as the oracle knows them."""
        return {name: self._encode(name, value) for name, value in values.items()}

    def decode(self, values: Mapping[str, Any]) -> Values:
        """An oracle's values as ours; they may still be illegal."""
        return {name: self._decode(name, value) for name, value in values.items()}

    def _encode(self, name: str, value: Scalar) -> Scalar:
        return _label(value) if name in self._labels else value

    def _decode(self, name: str, value: Any) -> Scalar:
        labels = self._labels.get(name, {})
        decoded: Scalar = labels.get(value, value)
        return decoded

    def _convert(self, hyperparameter: Int | Float | Choice | Boolean | Fixed) -> Any:
        name = hyperparameter.name
        conditions = [
            self._parent(c.parent, [self._encode(c.parent, value) for value in c.values])
            for c in hyperparameter.conditions
        ]
        if isinstance(hyperparameter, Fixed):
            return self._classes.Fixed(name, hyperparameter.value, conditions=conditions)
        default = self._encode(name, hyperparameter.default_value())
        if isinstance(hyperparameter, Boolean):
            return self._classes.Boolean(name, default=default, conditions=conditions)
        if isinstance(hyperparameter, Choice):
            values = [self._encode(name, value) for value in hyperparameter.choices]
            ordered = hyperparameter.is_ordered() and not isinstance(values[0], str)
            return self._classes.Choice(name, values, ordered=ordered, default=default, conditions=conditions)
        base = self._classes.Int if isinstance(hyperparameter, Int) else self._classes.Float
        return _exact(base, type(hyperparameter))(
            name,
            hyperparameter.min,
            hyperparameter.max,
            step=hyperparameter.step,
            sampling=hyperparameter.sampling,
            default=default,
            conditions=conditions,
        )


def _needs_labels(choice: Choice) -> bool:
    kinds = {type(value) for value in choice.choices}
    return len(kinds) > 1 or bool in kinds


def _labels(choice: Choice) -> dict[str, Scalar]:
    return {_label(value): value for value in choice.choices}


def _label(value: Scalar) -> str:
    return json.dumps(value)


def _faithful(base: Any) -> Any:
    """A subclass of `HyperParameters` whose copies keep the exact classes; Keras Tuner's find theirs by name."""

    def copy(self: Any) -> Any:
        twin = type(self)()
        twin.merge(self.space)
        twin.values = dict(self.values)
        return twin

    return type(base.__name__, (base,), {"copy": copy})


def _exact(base: Any, ours: Callable[..., Int | Float]) -> Any:
    """A subclass of Keras Tuner's `Int` or `Float` with the arithmetic of ours."""

    def twin(self: Any) -> Int | Float:
        return ours(name=self.name, min=self.min_value, max=self.max_value, step=self.step, sampling=self.sampling)

    def prob_to_value(self: Any, prob: float) -> Scalar:
        return twin(self).from_unit(min(max(float(prob), 0.0), 1.0))

    def value_to_prob(self: Any, value: Scalar) -> float:
        return twin(self).to_unit(value)

    def values(self: Any) -> tuple[Scalar, ...]:
        exact = twin(self)
        if self.step is not None or self.min_value == self.max_value:
            return tuple(exact.values())
        points = (exact.from_unit(index / (_POINTS - 1)) for index in range(_POINTS))
        return tuple(dict.fromkeys(points))

    methods = {"prob_to_value": prob_to_value, "value_to_prob": value_to_prob, "values": property(values)}
    return type(base.__name__, (base,), methods)
