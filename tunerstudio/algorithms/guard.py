"""Call code of a plugin so that it may raise, exit or hang without harm to the caller."""

from __future__ import annotations

import ctypes
import threading
import traceback
from collections.abc import Callable
from typing import Generic, TypeVar

from tunerstudio.algorithms.errors import AlgorithmError

Result = TypeVar("Result")

_INTERRUPTIONS = 5
_INTERRUPTION_S = 0.1


class _HangEndedError(BaseException):
    """Raised in the thread of a plugin that has hung; no `except Exception` of the plugin catches it."""


class _Call(Generic[Result]):
    """One call and what came of it."""

    def __init__(self, function: Callable[[], Result]) -> None:
        self._function = function
        self.result: list[Result] = []
        self.error: BaseException | None = None
        self.details = ""

    def run(self) -> None:
        try:
            self.result.append(self._function())
        except BaseException as error:  # noqa: BLE001 - SystemExit too: a plugin must not end the engine
            self.error = error
            self.details = traceback.format_exc()


class Guard:
    """Runs a plugin's functions in a thread of their own, with a time limit.

    After a hang every further call is refused, and the plugin's thread is ended by an exception that Python raises in
    it: that ends any loop of Python code. Code that blocks inside a library cannot be ended so; it waits, without
    using the processor, until the process ends.
    """

    def __init__(self, algorithm: str, time_limit_s: float) -> None:
        self._algorithm = algorithm
        self._time_limit_s = time_limit_s
        self._hung = False

    def call(self, function: Callable[[], Result], what: str) -> Result:
        """The result of `function`.

        Args:
            function: Takes nothing; calls the plugin.
            what: What it does, for the error: "proposed a trial".

        Raises:
            AlgorithmError: If it raised, exited or took longer than the time limit.
        """
        if self._hung:
            raise AlgorithmError(self._algorithm, "has hung before and cannot go on; start the search again")
        call = _Call(function)
        thread = threading.Thread(target=call.run, name=f"algorithm {self._algorithm}", daemon=True)
        thread.start()
        thread.join(self._time_limit_s)
        if thread.is_alive():
            self._hung = True
            _end(thread)
            raise AlgorithmError(
                self._algorithm, f"did not answer within {self._time_limit_s:g} seconds when it {what}"
            )
        if call.error is None:
            return call.result[0]
        if isinstance(call.error, AlgorithmError):
            raise call.error
        if isinstance(call.error, SystemExit):
            message = f"tried to end the program when it {what}"
        else:
            message = f"raised {type(call.error).__name__} when it {what}: {call.error}"
        raise AlgorithmError(self._algorithm, message, call.details) from call.error


def _end(thread: threading.Thread) -> None:
    """Let `thread` end as soon as it runs Python code again."""
    for _ in range(_INTERRUPTIONS):  # code that catches everything may need to be told more than once
        if thread.ident is None or not thread.is_alive():
            return
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(_HangEndedError))
        thread.join(_INTERRUPTION_S)
