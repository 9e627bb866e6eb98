"""The standard streams as they are found: closed, broken, or with an encoding that lacks half of the letters."""

from __future__ import annotations

import io
import os
import sys


def complete_streams() -> None:
    """Make standard input, output and error usable whatever the program was started with.

    A closed one is replaced by nothing: otherwise the next file that is opened takes its number, and what is printed
    ends up in it. A letter that the terminal's encoding lacks is printed as `?`.
    """
    for descriptor, flags in enumerate((os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, flags)  # the lowest free number, which is this one
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def leave_broken_pipe() -> None:
    """Nobody reads the output any more (`| head`): let Python's last flush go nowhere instead of complaining."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
