"""What `search.pruning` of a study says, checked without running any code of a plugin."""

from __future__ import annotations

from typing import Final

from tunerstudio.algorithms import discovery
from tunerstudio.algorithms.discovery import check_options
from tunerstudio.algorithms.manifest import Manifest
from tunerstudio.study.errors import Problem, StudyError
from tunerstudio.study.search import Search

NO_PRUNING: Final = "none"
FIELD: Final = "search.pruning"


def pruning_problems(search: Search, algorithm: Manifest | None) -> list[Problem]:
    """What is wrong with `search.pruning`, known without running any code of the plugin."""
    method = search.pruning.method
    if method == NO_PRUNING:
        if not search.pruning.options:
            return []
        return [Problem(f"{FIELD}.options", "there is no method to give options to: set search.pruning.method")]
    try:
        manifest = discovery.get_pruner(method).manifest
    except StudyError as error:
        return list(error.problems)
    assert manifest is not None
    problems = check_options(manifest, search.pruning.options, f"{FIELD}.options.")[1]
    own = {"uses_epochs", "prunes"} & (algorithm.capabilities if algorithm else frozenset())
    if algorithm is not None and own:
        message = f"{algorithm.name} cuts training short itself: set the method to none, or take another algorithm"
        problems.append(Problem(f"{FIELD}.method", message))
    return problems
