"""What went wrong, for a person: one plain sentence, and the traceback behind it."""

from __future__ import annotations

import errno
import re
import traceback

from tunerstudio.study.errors import TunerStudioError
from tunerstudio.worker.layers import first_sentence
from tunerstudio.worker.training import NotFiniteError

DISK_FULL = "The disk is full"
"""Begins the sentence about a full disk, by which the engine knows it: the search pauses, and no trial is lost."""

_FULL = re.compile(r"No space left on device|Disk quota exceeded|errno = (28|122)\b")
"""HDF5 and TensorFlow only tell a full disk in their text."""

_GPU = re.compile(r"GPU|CUDA", re.IGNORECASE)

_MEMORY = re.compile(r"OOM|out of memory|failed to allocate|ResourceExhausted|Unable to allocate", re.IGNORECASE)


def explain(error: BaseException, what: str) -> tuple[str, str]:
    """A sentence about `error`, and the traceback behind it; "" if the sentence says all there is.

    `what` begins the sentence about an error that tells nothing by itself, such as "The training failed".
    """
    details = getattr(error, "details", "") or "".join(traceback.format_exception(error))
    if isinstance(error, NotFiniteError):
        return f"{error}. A smaller learning rate, or clipping of gradients, usually helps.", details
    ours = isinstance(error, TunerStudioError)
    # The line of the user's code in which space or memory ran out is not what is to be changed.
    shortage = _shortage(error.__cause__ if ours else error)
    if shortage:
        return shortage, details
    if ours:  # one of our own sentences: only what it was made from can tell more
        return str(error), getattr(error, "details", "") or ("" if error.__cause__ is None else details)
    if isinstance(error, OSError):
        return f"A file could not be read or written: {error}.", details
    return f"{what} ({type(error).__name__}): {first_sentence(error)}", details


def _shortage(error: BaseException | None) -> str:
    """A sentence if `error` says that disk or memory were used up, else ""."""
    if error is None:
        return ""
    name = f"{type(error).__name__}: {error}"
    if (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)) or _FULL.search(name):
        return f"{DISK_FULL}: free some space, then resume the search."
    if isinstance(error, MemoryError) or _MEMORY.search(name):
        where = "memory on the GPU" if _GPU.search(name) else "memory"
        return f"There was not enough {where}: try smaller layers or a smaller batch size."
    return _shortage(error.__cause__)
