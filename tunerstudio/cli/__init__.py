"""The command line: everything a person can do by clicking, by command."""

from __future__ import annotations

import sys
from collections.abc import Sequence

STOPPED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code, see `program.run_program`.

    Nothing is imported before the `try`, so that Ctrl+C in the first moment is no traceback either.
    """
    try:
        from tunerstudio.cli.program import run_program

        return run_program(list(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        return STOPPED
