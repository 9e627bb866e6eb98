"""Study documents of earlier formats, brought to the present one before they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Content = dict[str, Any]


def migrated(content: Content, version: int) -> Content:
    """`content` of format `version` as it would be written today.

    What is not of the right shape stays as it is: reading it says what is wrong.
    """
    for step in sorted(_STEPS):
        if version <= step:
            content = _STEPS[step](content)
    return content


def _defaults_of_version_1(content: Content) -> Content:
    """Fields that were left out meant random search with one worker in version 1."""
    search = content.get("search", {})
    if not isinstance(search, Mapping):
        return content
    algorithm = search.get("algorithm", {})
    if isinstance(algorithm, Mapping):
        algorithm = {"id": "random", **algorithm}
    return {**content, "version": 2, "search": {"workers": 1, **search, "algorithm": algorithm}}


_STEPS: Mapping[int, Callable[[Content], Content]] = {1: _defaults_of_version_1}
"""What leads from a version to the next."""
