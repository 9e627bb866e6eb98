"""What went wrong, for a person: one plain sentence, and the traceback behind it."""

from __future__ import annotations

import re
import traceback

from tunerstudio.study.errors import TunerStudioError
from tunerstudio.worker.layers import first_sentence
from tunerstudio.worker.training import NotFiniteError

_MEMORY = re.compile(r"OOM|out of memory|failed to allocate|ResourceExhausted|Unable to allocate", re.IGNORECASE)


def explain(error: BaseException, what: str) -> tuple[str, str]:
    """A sentence about `error`, and the traceback behind it; "" if the sentence says all there is.

    `what` begins the sentence about an error that tells nothing by itself, such as "The training failed".
    """
    details = getattr(error, "details", "") or "".join(traceback.format_exception(error))
    if isinstance(error, NotFiniteError):
        return f"{error}. A smaller learning rate, or clipping of gradients, usually helps.", details
    if isinstance(error, TunerStudioError):
        # One of our own sentences: only what it was made from can tell more.
        return str(error), getattr(error, "details", "") or ("" if error.__cause__ is None else details)
    if isinstance(error, MemoryError) or _MEMORY.search(f"{type(error).__name__}: {error}"):
        return "There was not enough memory: try smaller layers or a smaller batch size.", details
    if isinstance(error, OSError):
        return f"A file could not be read or written: {error}.", details
    return f"{what} ({type(error).__name__}): {first_sentence(error)}", details
