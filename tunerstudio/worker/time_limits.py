"""A limit to the time that code of the user's may take."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Iterator


class TooSlowError(BaseException):
    """Raised in code that took too long; no `except Exception` catches it."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TooSlowError` inside once `seconds` have passed.

    It ends any loop of Python code, of whatever system; code that blocks inside a library is ended when it comes back.
    """
    thread, guard, over = threading.get_ident(), threading.Lock(), threading.Event()

    def interrupt() -> None:
        with guard:
            if not over.is_set():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TooSlowError))

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with guard:
            over.set()
        # What was asked for, but has not come up yet, shall not come up outside.
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), None)
