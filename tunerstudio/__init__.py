"""Tuner Studio: find the best Keras model on your own workstation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tunerstudio.version import VERSION as __version__

if TYPE_CHECKING:
    from tunerstudio.twin import Study as Study

__all__ = ["Study", "__version__"]


def __getattr__(name: str) -> Any:
    # Late, so that importing a room of the package does not import all the others.
    if name == "Study":
        from tunerstudio.twin import Study

        return Study
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
