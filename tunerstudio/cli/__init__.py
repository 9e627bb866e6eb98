"""The command line: everything a person can do by clicking, by command."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from tunerstudio.cli.arguments import build_parser
from tunerstudio.cli.output import Output
from tunerstudio.locations import log_folder
from tunerstudio.study.errors import StudyError, TunerStudioError

BAD_INPUT = 2
UNEXPECTED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code.

    Codes: 0 done, 1 a fault of the program, 2 bad input, 3 no trial completed, 130 stopped and resumable.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = build_parser()
    options = parser.parse_args(_with_default_command(given, parser.commands))
    output = Output(json_wanted=getattr(options, "json", False))
    try:
        return int(options.run(options, output))
    except StudyError as error:
        output.fail(str(error), [(problem.field, problem.message) for problem in error.problems])
    except TunerStudioError as error:
        output.fail(str(error), details=getattr(error, "details", ""))
    except Exception as error:  # noqa: BLE001  # a person gets a sentence, the log the traceback
        path = _log_unexpected(given)
        output.fail(f"an unexpected error: {type(error).__name__}: {error}. Its details are in {path}")
        return UNEXPECTED
    return BAD_INPUT


def _log_unexpected(given: Sequence[str]) -> Path:
    path = log_folder() / "command-line.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as log:
        log.write(f"{' '.join(given)}\n{traceback.format_exc()}\n")
    return path


def _with_default_command(given: list[str], commands: Sequence[str]) -> list[str]:
    """`tunerstudio [STUDY]` opens the window."""
    first = next((word for word in given if not word.startswith("-")), None)
    if first in commands or (first is None and given):
        return given
    return ["open", *given]
