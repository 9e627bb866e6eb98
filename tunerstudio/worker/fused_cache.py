"""The compiled programs of one worker process, kept across executions and trials."""

from __future__ import annotations

import logging
import random
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras

from tunerstudio.study.errors import ModelError
from tunerstudio.worker.fused_particulars import Particulars
from tunerstudio.worker.fused_program import Program, Rows
from tunerstudio.worker.fused_relatives import Relatives
from tunerstudio.worker.fused_signature import Architecture, architecture_of

_log = logging.getLogger(__name__)

ProgramKey = tuple[str, tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class _Kept:
    """A program and the networks that it serves."""

    program: Program
    serves: Particulars


@dataclass
class ProgramCache:
    """Programs by architecture and kind of data; the least recently used one goes first.

    A kept program trains a model of its own, never the caller's. Networks of a search that differ in sizes and numbers
    alone share one.

    Attributes:
        limit: How many programs are kept; 0: none. A small one takes a few MB.
        built: How many programs were made so far.
        reused: How often a kept program served again.
    """

    limit: int = 32
    built: int = 0
    reused: int = 0
    _programs: OrderedDict[ProgramKey, _Kept] = field(default_factory=OrderedDict)
    _seen: dict[str, Particulars] = field(default_factory=dict)
    _fixed: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        """How many programs are kept."""
        return len(self._programs)

    def program_for(
        self,
        model: keras.Model,
        train: Rows,
        validation: Rows,
        relatives: Relatives | None = None,
    ) -> Program:
        """A program that `load` makes ready for `model`: a kept one if there is one of its kind.

        Args:
            model: Built and compiled.
            train: Training rows, for their shapes and types.
            validation: Validation rows, possibly none at all.
            relatives: Other models of the search: they are looked at before the first program of a kind is made, and
                what they differ in is left open. Without them all sizes and numbers are part of the program.
        """
        found = architecture_of(model) if self.limit > 0 else None
        if found is None:
            return self.bound_program(model, train, validation)
        kinds = _kinds(train), _kinds(validation)
        if relatives is None:
            return self._own_program(model, found, train, validation)
        if found.structure not in self._seen:
            self._look_around(found, relatives)
        kept = earlier = self._programs.pop((self._identity(found), *kinds), None)
        if kept is None or not kept.serves.covers(found.particulars):
            kept = self._make(model, found, train, validation)
            self.built += 1
        else:
            self.reused += 1
        if earlier is not None and earlier is not kept and found.structure in self._fixed:
            self._programs[(self._identity(Architecture(found.structure, earlier.serves)), *kinds)] = earlier
        self._keep((self._identity(found), *kinds), kept)
        return kept.program

    def _own_program(self, model: keras.Model, found: Architecture, train: Rows, validation: Rows) -> Program:
        """A program for models of just these sizes and numbers."""
        key = (f"{found.structure} {found.particulars}", _kinds(train), _kinds(validation))
        kept = self._programs.pop(key, None)
        if kept is None:
            kept = _Kept(Program(_twin(model), train, validation), found.particulars)
            self.built += 1
        else:
            self.reused += 1
        self._keep(key, kept)
        return kept.program

    def _keep(self, key: ProgramKey, kept: _Kept) -> None:
        self._programs[key] = kept
        while len(self._programs) > self.limit:
            self._programs.popitem(last=False)

    def _look_around(self, found: Architecture, relatives: Relatives) -> None:
        """Leave open what the relatives of the same structure differ in."""
        self._seen[found.structure] = found.particulars
        with _python_random_kept():
            self._compare(found.structure, relatives, relatives.names)

    def _compare(self, structure: str, relatives: Relatives, names: tuple[str, ...]) -> None:
        """Look at a relative in which the numbers `names` differ; if that is another structure, at each half of them.

        Few numbers decide the structure (how many layers, how large a kernel), so that few models are built.
        """
        if not names:
            return
        try:
            relative = architecture_of(relatives.build(names))
        except ModelError as error:
            _log.info("a network of other sizes cannot be built: %s", error)
            relative = None
        if relative is not None and relative.structure == structure:
            self._served(relative)
        elif len(names) > 1:
            half = len(names) // 2
            self._compare(structure, relatives, names[:half])
            self._compare(structure, relatives, names[half:])

    def _identity(self, found: Architecture) -> str:
        """Equal for models that share a program, once it leaves open what they differ in."""
        return f"{found.structure} {found.particulars}" if found.structure in self._fixed else found.structure

    def _served(self, found: Architecture) -> Particulars:
        """Those of `found`, open wherever models of this structure have differed so far."""
        own = found.particulars
        if found.structure in self._fixed:
            return own
        self._seen[found.structure] = self._seen.get(found.structure, own).merged(own)
        return self._seen[found.structure]

    def _make(self, model: keras.Model, found: Architecture, train: Rows, validation: Rows) -> _Kept:
        serves = self._served(found)
        if serves.is_open:
            try:
                return _Kept(Program(_twin(model), train, validation, serves), serves)
            except Exception as error:  # noqa: BLE001  # Keras's layers may raise anything when a size is unknown
                _log.info("sizes stay fixed, because the program cannot be traced without them: %s", error)
                self._fixed.add(found.structure)
        return _Kept(Program(_twin(model), train, validation), found.particulars)

    def bound_program(self, model: keras.Model, train: Rows, validation: Rows) -> Program:
        """A program around the caller's own model, for this execution alone."""
        self.built += 1
        return Program(model, train, validation)

    def clear(self) -> None:
        """Drop all programs."""
        self._programs.clear()


def _twin(model: keras.Model) -> keras.Model:
    """Another model of the same architecture, compiled alike; draws nothing from the caller's random state."""
    with _python_random_kept():
        twin = type(model).from_config(model.get_config())
        arguments = dict(model._compile_config.config)
        for stateful in ("optimizer", "metrics", "weighted_metrics"):
            arguments[stateful] = _fresh(arguments[stateful])
        twin.compile(**arguments)
    return twin


@contextmanager
def _python_random_kept() -> Iterator[None]:
    """Layers that are made inside draw nothing from the caller's random state."""
    before = random.getstate()
    try:
        yield
    finally:
        random.setstate(before)


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
