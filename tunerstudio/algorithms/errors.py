"""What a search algorithm can do wrong, in a sentence."""

from __future__ import annotations

from tunerstudio.study.errors import TunerStudioError


class AlgorithmError(TunerStudioError):
    """A search algorithm that cannot be loaded, raised, hung, tried to exit or answered nonsense.

    Attributes:
        algorithm: Its id.
        details: Traceback for the log; "" if there is none.
    """

    def __init__(self, algorithm: str, message: str, details: str = "") -> None:
        """Put the algorithm's id in front of `message`."""
        self.algorithm = algorithm
        self.details = details
        super().__init__(f"The search algorithm {algorithm!r} {message}")
