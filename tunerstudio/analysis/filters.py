"""The filter box of the trials table: words, and comparisons such as `units>=12` or `activation=relu`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tunerstudio.study.hyperparameters import Scalar
from tunerstudio.study.trials import Trial

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}

_TERM = re.compile(r"^(?P<name>[^<>=!]+)(?P<sign><=|>=|!=|==|=|<|>)(?P<value>.+)$")


@dataclass(frozen=True)
class _Comparison:
    name: str
    sign: str
    value: str

    def holds(self, trial: Trial) -> bool:
        found = _field(trial, self.name)
        if found is None:
            return False
        number = _number(self.value)
        if number is not None and isinstance(found, int | float) and not isinstance(found, bool):
            return _COMPARISONS[self.sign](float(found), number)
        same = _words(found) == self.value.lower()
        return same if self.sign == "=" else not same if self.sign == "!=" else False


@dataclass(frozen=True)
class TrialFilter:
    """A filter as typed; see `parse_filter`."""

    words: tuple[str, ...] = ()
    comparisons: tuple[_Comparison, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether every trial passes."""
        return not (self.words or self.comparisons)

    def matches(self, trial: Trial) -> bool:
        """Whether all words and comparisons hold for `trial`."""
        if not all(comparison.holds(trial) for comparison in self.comparisons):
            return False
        if not self.words:
            return True
        text = _text(trial)
        return all(word in text for word in self.words)


def parse_filter(text: str) -> TrialFilter:
    """What `text` asks for; terms are separated by spaces, and all must hold.

    A comparison is `name sign value` without spaces; names are `number`, `state`, `score`, `error`, `epochs`,
    `time`, `parameters` and every hyperparameter; signs are < <= > >= = !=. Anything else is a word to find in a
    trial's state, values, message and note. Upper and lower case are alike. No text is wrong.
    """
    words, comparisons = [], []
    for term in text.split():
        match = _TERM.match(term)
        if match is None:
            words.append(term.lower())
        else:
            sign = "=" if match["sign"] == "==" else match["sign"]
            comparisons.append(_Comparison(match["name"], sign, match["value"]))
    return TrialFilter(tuple(words), tuple(comparisons))


def _field(trial: Trial, name: str) -> Scalar | None:
    own: dict[str, Scalar | None] = {
        "number": trial.number,
        "trial": trial.number,
        "state": trial.state.value.lower(),
        "score": trial.score,
        "error": trial.standard_error,
        "epochs": trial.epochs,
        "time": trial.duration_s,
        "parameters": trial.parameters,
    }
    if name in trial.values:
        return trial.values[name]
    lowered = name.lower()
    if lowered in own:
        return own[lowered]
    return next((value for key, value in trial.values.items() if key.lower() == lowered), None)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _words(value: Scalar) -> str:
    return str(value).lower()


def _text(trial: Trial) -> str:
    parts = [f"#{trial.number}", trial.state.value, trial.message, trial.note, trial.device]
    parts += [f"{name} {value}" for name, value in trial.values.items()]
    return " ".join(parts).lower()
