"""The shipped algorithms as building blocks: an algorithm may leave its proposals to one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from pydantic import JsonValue

from tunerstudio.algorithms.api import Answer, History, Options, SearchSpace
from tunerstudio.algorithms.discovery import check_options, inspect_folder
from tunerstudio.algorithms.errors import AlgorithmError
from tunerstudio.algorithms.loading import load_module
from tunerstudio.locations import shipped_plugins_folder
from tunerstudio.study.errors import StudyError


@dataclass(frozen=True)
class ShippedAlgorithm:
    """An algorithm that comes with the program, with all of its options.

    Attributes:
        id: From its manifest.
        name: What people read.
        options: Every option; defaults where nothing else was asked for.
    """

    id: str
    name: str
    options: Options
    _module: ModuleType

    def propose(self, space: SearchSpace, history: History, rng: np.random.Generator) -> Answer:
        """What the algorithm answers."""
        answer: Answer = self._module.propose(space, history, rng, dict(self.options))
        return answer


def shipped_algorithm(algorithm_id: str, options: Mapping[str, JsonValue] | None = None) -> ShippedAlgorithm:
    """Load the shipped algorithm of this id, whether or not the user has switched it off.

    Args:
        algorithm_id: Of an algorithm with `propose`.
        options: Other than the defaults.

    Raises:
        AlgorithmError: If it cannot be loaded or has no `propose`.
        StudyError: If the options are wrong.
    """
    info = inspect_folder(shipped_plugins_folder() / algorithm_id, "shipped")
    manifest = info.manifest
    if manifest is None or info.problems or manifest.kind != "propose":
        reasons = "; ".join(info.problems) or "it has no propose()"
        raise AlgorithmError(algorithm_id, f"cannot be used by another algorithm: {reasons}")
    complete, problems = check_options(manifest, options or {})
    if problems:
        raise StudyError(problems)
    return ShippedAlgorithm(manifest.id, manifest.name, dict(complete), load_module(manifest))
