"""One command from its words to its exit code: whatever happens, a person gets a sentence and a machine JSON."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path

from tunerstudio.cli import STOPPED
from tunerstudio.cli.arguments import UsageError, build_parser
from tunerstudio.cli.output import Output
from tunerstudio.cli.streams import complete_streams, leave_broken_pipe
from tunerstudio.locations import log_folder
from tunerstudio.study.errors import StudyError, TunerStudioError, suggest

BAD_INPUT = 2
UNEXPECTED = 1


def run_program(given: Sequence[str]) -> int:
    """Run the command with the words `given`.

    Returns:
        0 done, 1 a fault of the program, 2 bad input, 3 no trial completed, 130 stopped and resumable.
    """
    complete_streams()
    # A machine asked for JSON gets it even where its words cannot be understood.
    output = Output(json_wanted="--json" in given)
    try:
        return _run(given, output)
    except UsageError as error:
        output.usage(error.usage)
        output.fail(str(error))
    except StudyError as error:
        output.fail(str(error), [(problem.field, problem.message) for problem in error.problems])
    except TunerStudioError as error:
        output.fail(str(error), details=getattr(error, "details", ""))
    except KeyboardInterrupt:
        output.fail("stopped before it was done; the same command starts it again")
        return STOPPED
    except BrokenPipeError:
        leave_broken_pipe()
        return UNEXPECTED
    except OSError as error:
        # A folder that cannot be written to, a full disk, a name too long: a person can mend these.
        where = f"{error.filename}: " if error.filename else ""
        output.fail(f"{where}{error.strerror or error}{_log_unexpected(given)}")
    except Exception as error:  # noqa: BLE001  # a person gets a sentence, the log the traceback
        output.fail(f"an unexpected error: {type(error).__name__}: {error}{_log_unexpected(given)}")
        return UNEXPECTED
    return BAD_INPUT


def _run(given: Sequence[str], output: Output) -> int:
    parser = build_parser()
    options = parser.parse_args(_with_default_command(list(given), parser.commands))
    return int(options.run(options, output))


def _log_unexpected(given: Sequence[str]) -> str:
    """Keep the traceback; says where it is, or nothing if it could not be kept."""
    path = log_folder() / "command-line.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"{' '.join(given)}\n{traceback.format_exc()}\n")
    except OSError:  # the same full disk, perhaps: the sentence is what matters
        return ""
    return f" (details are in {path})"


def _with_default_command(given: list[str], commands: Sequence[str]) -> list[str]:
    """`tunerstudio [STUDY]` opens the window."""
    first = next((word for word in given if not word.startswith("-")), None)
    if first in commands or (first is None and given):
        return given
    hint = "" if first is None or Path(first).exists() else suggest(first, commands)
    if hint:
        raise UsageError(f"there is no command and no study {first!r}.{hint}")
    return ["open", *given]
