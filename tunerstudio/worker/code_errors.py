"""What goes wrong in the user's own code, with the line of the user's file."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path

from tunerstudio.study.errors import ModelError
from tunerstudio.worker.objects import first_sentence


class CodeError(ModelError):
    """The user's code raised.

    Attributes:
        place: `model.py, line 12`; the file and what was called where no line is known.
        line: Of the study's own file; None if it is another file, or is not known.
        reason: What was raised and what the line reads, without the place.
    """

    def __init__(self, error: BaseException, file: Path, where: str) -> None:
        """`error` came up in `file` or a file beside it while `where`, such as `build(hp)`, was called."""
        frames = user_frames(error, file)
        what = f"{type(error).__name__}: {first_sentence(error)}"
        self.line: int | None = None
        if frames:
            frame = frames[-1]
            inside = f", in {frame.name}" if frame.name != "<module>" else ""
            self.place = f"{Path(frame.filename).name}, line {frame.lineno}{inside}"
            self.line = frame.lineno if Path(frame.filename) == file else None
            self.reason = what + (f" (the line reads `{frame.line}`)" if frame.line else "")
        else:
            self.place, self.reason = f"{file.name}, {where}", what
        super().__init__(f"{self.place}: {self.reason}", "".join(traceback.format_exception(error)))


@contextlib.contextmanager
def user_code(file: Path, where: str) -> Iterator[None]:
    """Turn what the user's code raises inside into a CodeError with its own file and line."""
    try:
        yield
    except ModelError:
        raise
    except (Exception, SystemExit) as error:
        raise CodeError(error, file, where) from error


def user_frames(error: BaseException, file: Path) -> list[traceback.FrameSummary]:
    """Where `error` went through the user's file or files beside it, the innermost last."""
    return [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame.filename, file)]


def _is_users(filename: str, file: Path) -> bool:
    path = Path(filename)
    return path == file or (path.is_relative_to(file.parent) and "site-packages" not in path.parts)
