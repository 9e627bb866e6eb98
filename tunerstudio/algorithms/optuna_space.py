"""A search space as Optuna sees it: a distribution for each hyperparameter that varies.

What can be listed in order becomes the place in that order, so that no rounding of Optuna's moves a value off its
grid; what has no order becomes a category. Values that Optuna has no distribution for (`reverse_log`) become the place
in [0, 1] on their scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from optuna import Trial as Asked
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from tunerstudio.algorithms.api import Boolean, Choice, Fixed, Float, Int, Scalar, SearchSpace, Values, same_value

Distribution = FloatDistribution | IntDistribution | CategoricalDistribution
Number = int | float
Hyperparameter = Int | Float | Choice | Boolean


@dataclass(frozen=True)
class Parameter:
    """One hyperparameter that varies.

    Attributes:
        hyperparameter: As the study has it.
        distribution: As Optuna has it.
        listed: Its values in order, where the parameter is a place among these.
        steps: Number of values of a range whose parameter is a place among these; 0 for others.
    """

    hyperparameter: Hyperparameter
    distribution: Distribution
    listed: tuple[Scalar, ...] = ()
    steps: int = 0

    @property
    def name(self) -> str:
        """Name of both."""
        return self.hyperparameter.name

    @property
    def _by_unit(self) -> bool:
        return isinstance(self.hyperparameter, Int | Float) and self.hyperparameter.sampling == "reverse_log"

    def told(self, value: Scalar) -> Number:
        """What Optuna is told of a legal `value`."""
        if self.listed:
            return next(place for place, listed in enumerate(self.listed) if same_value(listed, value))
        if self.steps:
            return int(self.hyperparameter.to_unit(value) * self.steps)
        if self._by_unit:
            return self.hyperparameter.to_unit(value)
        assert isinstance(value, int | float)
        return value

    def value(self, told: Number) -> Scalar:
        """The legal value that Optuna means."""
        if self.listed:
            return self.listed[int(told)]
        if self.steps:
            return self.hyperparameter.from_unit((told + 0.5) / self.steps)
        if self._by_unit:
            return self.hyperparameter.from_unit(told)
        return told

    def can_be(self, told: object) -> bool:
        """Whether Optuna may be told this."""
        if isinstance(told, bool) or not isinstance(told, int | float):
            return False
        if isinstance(self.distribution, CategoricalDistribution):
            return told in self.distribution.choices
        whole = isinstance(self.distribution, FloatDistribution) or isinstance(told, int)
        return whole and self.distribution.low <= told <= self.distribution.high

    def middle(self) -> Number:
        """What Optuna is told of the value in the middle of the range."""
        return self.told(self.hyperparameter.from_unit(0.5))

    def ask(self, trial: Asked) -> Scalar:
        """Let Optuna suggest a value for `trial`."""
        distribution = self.distribution
        if isinstance(distribution, CategoricalDistribution):
            place = trial.suggest_categorical(self.name, distribution.choices)
            assert isinstance(place, int)
            return self.value(place)
        if isinstance(distribution, IntDistribution):
            return self.value(trial.suggest_int(self.name, distribution.low, distribution.high, log=distribution.log))
        return self.value(trial.suggest_float(self.name, distribution.low, distribution.high, log=distribution.log))


class OptunaSpace:
    """A search space and its parameters.

    Args:
        space: What may vary.
        two_are_ordered: Whether a choice of two is a range from 0 to 1 instead of a category, for samplers that
            know no categories.

    Attributes:
        parameters: By name, in the order of the space.
        conditional: Whether some hyperparameters are active for some values of others only.
    """

    def __init__(self, space: SearchSpace, two_are_ordered: bool = False) -> None:
        self._space = space
        varying = [h for h in space.hyperparameters if not isinstance(h, Fixed) and h.count() > 1]
        self.parameters = {h.name: _parameter(h, two_are_ordered) for h in varying}
        self.conditional = any(h.conditions for h in varying)

    def told(self, values: Values) -> dict[str, Number]:
        """What Optuna is told of a legal configuration; inactive hyperparameters are left out."""
        return {name: p.told(values[name]) for name, p in self.parameters.items() if name in values}

    def filled(self, values: Values, silent: Mapping[str, Number]) -> dict[str, Number]:
        """The same with a parameter for inactive hyperparameters too: that of `silent`, or the middle."""
        told = self.told(values)
        return {name: told.get(name, silent.get(name, p.middle())) for name, p in self.parameters.items()}

    def distributions(self, told: Mapping[str, Number]) -> dict[str, Distribution]:
        """Those of the parameters in `told`."""
        return {name: self.parameters[name].distribution for name in told}

    def ask(self, trial: Asked) -> Values:
        """Let Optuna suggest a value for every active hyperparameter, parents before children."""
        values: Values = {}
        for hyperparameter in self._space.hyperparameters:
            if self._space.is_active(hyperparameter, values):
                parameter = self.parameters.get(hyperparameter.name)
                value = next(iter(hyperparameter.values())) if parameter is None else parameter.ask(trial)
                values[hyperparameter.name] = value
        return values


def _parameter(hyperparameter: Hyperparameter, two_are_ordered: bool) -> Parameter:
    if isinstance(hyperparameter, Choice | Boolean):
        return _listed(hyperparameter, two_are_ordered)
    if hyperparameter.step is not None or (isinstance(hyperparameter, Int) and hyperparameter.sampling == "linear"):
        steps = int(hyperparameter.count())
        return Parameter(hyperparameter, IntDistribution(0, steps - 1), steps=steps)
    if hyperparameter.sampling == "reverse_log":
        return Parameter(hyperparameter, FloatDistribution(0.0, 1.0))
    log = hyperparameter.sampling == "log"
    if isinstance(hyperparameter, Int):
        return Parameter(hyperparameter, IntDistribution(hyperparameter.min, hyperparameter.max, log=log))
    return Parameter(hyperparameter, FloatDistribution(hyperparameter.min, hyperparameter.max, log=log))


def _listed(hyperparameter: Choice | Boolean, two_are_ordered: bool) -> Parameter:
    values = tuple(hyperparameter.values())
    ordered = isinstance(hyperparameter, Choice) and hyperparameter.is_ordered()
    if ordered and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        values = tuple(sorted(values, key=float))
    places = len(values)
    if ordered or (places == 2 and two_are_ordered):
        return Parameter(hyperparameter, IntDistribution(0, places - 1), listed=values)
    return Parameter(hyperparameter, CategoricalDistribution(tuple(range(places))), listed=values)
