"""The compiled programs of one worker process, kept across executions and trials."""

from __future__ import annotations

import random
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import keras

from tunerstudio.worker.fused_program import Program, Rows
from tunerstudio.worker.fused_signature import architecture_signature

ProgramKey = tuple[str, tuple[str, ...], tuple[str, ...]]


@dataclass
class ProgramCache:
    """Programs by architecture and kind of data; the least recently used one goes first.

    A kept program trains a model of its own, never the caller's.

    Attributes:
        limit: How many programs are kept; 0: none. A small one takes a few MB.
        built: How many programs were made so far.
        reused: How often a kept program served again.
    """

    limit: int = 32
    built: int = 0
    reused: int = 0
    _programs: OrderedDict[ProgramKey, Program] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        """How many programs are kept."""
        return len(self._programs)

    def program_for(self, model: keras.Model, train: Rows, validation: Rows) -> Program:
        """A program that `load` makes ready for `model`: a kept one if there is one of its kind."""
        signature = architecture_signature(model) if self.limit > 0 else None
        if signature is None:
            return self.bound_program(model, train, validation)
        key = (signature, _kinds(train), _kinds(validation))
        program = self._programs.pop(key, None)
        if program is None:
            program = Program(_twin(model), train, validation)
            self.built += 1
        else:
            self.reused += 1
        self._programs[key] = program
        while len(self._programs) > self.limit:
            self._programs.popitem(last=False)
        return program

    def bound_program(self, model: keras.Model, train: Rows, validation: Rows) -> Program:
        """A program around the caller's own model, for this execution alone."""
        self.built += 1
        return Program(model, train, validation)

    def clear(self) -> None:
        """Drop all programs."""
        self._programs.clear()


def _twin(model: keras.Model) -> keras.Model:
    """Another model of the same architecture, compiled alike; draws nothing from the caller's random state."""
    before = random.getstate()
    try:
        twin = type(model).from_config(model.get_config())
        arguments = dict(model._compile_config.config)
        for stateful in ("optimizer", "metrics", "weighted_metrics"):
            arguments[stateful] = _fresh(arguments[stateful])
        twin.compile(**arguments)
    finally:
        random.setstate(before)
    return twin


def _fresh(part: Any) -> Any:
    """The same without state: metrics and the optimizer may not be shared by two models."""
    if isinstance(part, dict):
        return {key: _fresh(value) for key, value in part.items()}
    if isinstance(part, (list, tuple)):
        return [_fresh(value) for value in part]
    if isinstance(part, (keras.metrics.Metric, keras.optimizers.Optimizer)):
        return type(part).from_config(part.get_config())
    return part


def _kinds(rows: Rows) -> tuple[str, ...]:
    return tuple(f"{part.dtype.name}{tuple(part.shape[1:])}" for part in rows)
