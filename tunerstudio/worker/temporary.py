"""A worker's own folder for temporary files, and the removal of those that dead workers have left.

TensorFlow writes a file for each function that AutoGraph converts, and removes it when the process ends in order;
a worker that is killed leaves them.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path

import psutil

from tunerstudio.store.lock import StudyLock, is_in_use

_NAME = re.compile(r"tuner-(\d+)-\w+")


class TemporaryFolder:
    """Where this process and its children put temporary files.

    Attributes:
        path: The folder, `tuner-<pid>-...` in the system's own.
    """

    def __init__(self) -> None:
        """Make the folder, and let Python, TensorFlow and child processes use it."""
        self._system = tempfile.gettempdir()
        self.path = Path(tempfile.mkdtemp(prefix=f"tuner-{os.getpid()}-", dir=self._system))
        # A process of the same number may live on another machine or in another container that shares the folder.
        self._lock = StudyLock(self.path)
        tempfile.tempdir = str(self.path)
        for name in ("TMPDIR", "TEMP", "TMP"):
            os.environ[name] = str(self.path)

    def remove_others(self) -> None:
        """Remove the folders of workers that do not live any more."""
        remove_dead(Path(self._system))

    def remove(self) -> None:
        """Remove the folder, with all that is in it."""
        self._lock.release()
        shutil.rmtree(self.path, ignore_errors=True)


def remove_dead(system: Path) -> None:
    """Remove the folders in `system` whose process is dead; those of other users and links stay."""
    with contextlib.suppress(OSError):
        for path in list(system.iterdir()):
            match = _NAME.fullmatch(path.name)
            if match and not psutil.pid_exists(int(match[1])) and _is_own_folder(path) and not is_in_use(path):
                shutil.rmtree(path, ignore_errors=True)


def _is_own_folder(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False  # another worker was quicker
    own = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return own and path.is_dir() and not path.is_symlink()
