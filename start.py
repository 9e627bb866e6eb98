#!/usr/bin/env python3
"""Set up Tuner Studio and open it: `python3 start.py`; set it up and run every check: `python3 start.py test`.

Needs nothing but Python 3.11, 3.12 or 3.13. Makes the environment `.venv` beside this file, installs the pinned
packages, adds GPU support where it finds an NVIDIA driver, sees to Qt's system libraries, and opens the window. Without
a display it runs the bundled reference study in the terminal instead. A second call starts at once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
LOCKS = ROOT / "installer" / "lock"
WINDOWS = os.name == "nt"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if WINDOWS else "bin/python")

FIRST_PYTHON, LAST_PYTHON = (3, 11), (3, 13)
"""TensorFlow, as it is pinned, has packages for these and those between them."""

QT_PACKAGES = [
    "libegl1",
    "libgl1",
    "libglib2.0-0",
    "libdbus-1-3",
    "libfontconfig1",
    "libxkbcommon0",
    "libxkbcommon-x11-0",
    "libxcb-cursor0",
    "libxcb-icccm4",
    "libxcb-image0",
    "libxcb-keysyms1",
    "libxcb-render-util0",
    "libxcb-shape0",
    "libxcb-xinerama0",
    "fonts-dejavu-core",
]
MOST_SIDE_BY_SIDE = 4
"""Tests start programs of several processes each."""

TEST_PACKAGES = ["xvfb", "openbox", "xdotool"]


def main() -> int:
    """Set up, then open the window, run the reference study, or run the checks."""
    words = sys.argv[1:]
    if not FIRST_PYTHON <= sys.version_info[:2] <= LAST_PYTHON:
        return with_other_python(words)
    testing = words[:1] == ["test"]
    try:
        set_up(testing)
        see_to_qt(testing)
    except subprocess.CalledProcessError as error:
        command = " ".join(str(word) for word in error.cmd)
        return stop(
            f"The set-up could not be finished; what it said is above. It failed at:\n  {command}\n"
            "Usual reasons are the network and a full disk. The same command goes on where this one stopped."
        )
    except OSError as error:
        return stop(f"The set-up could not be finished: {error}")
    except KeyboardInterrupt:
        return stop("Stopped in the middle of the set-up; the same command goes on.", 130)
    if testing:
        return run_checks(words[1:])
    if words or has_display():
        return run([str(PYTHON), "-m", "tunerstudio", *words])
    return run_reference_study()


def with_other_python(words: list[str]) -> int:
    """Start again with a Python that can be used, if there is one."""
    for minor in range(LAST_PYTHON[1], FIRST_PYTHON[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other is not None:
            return run([other, str(ROOT / "start.py"), *words])
    return stop(f"Tuner Studio needs Python 3.11, 3.12 or 3.13; this is {platform.python_version()}.")


def stop(message: str, code: int = 2) -> int:
    """Say why nothing can be done."""
    print(message, file=sys.stderr)
    return code


def run(command: list[str]) -> int:
    """Run a command to its end; what Ctrl+C means is for it to decide."""

    def leave_it(number: int, frame: FrameType | None) -> None:
        """The command has got the same signal."""

    before = signal.signal(signal.SIGINT, leave_it)
    try:
        return subprocess.call(command)
    finally:
        signal.signal(signal.SIGINT, before)


def say(message: str) -> None:
    """Say what is going on."""
    print(f"[start] {message}", flush=True)


# -- environment -------------------------------------------------------------------------------------------------------


def set_up(testing: bool) -> None:
    """Make `.venv` and install the pinned packages, unless that was done for the same pins before."""
    locks = [LOCKS / ("test.txt" if testing else "base.txt")]
    if (ENVIRONMENT / "installed-gpu").is_file() or has_nvidia_driver():
        locks.append(LOCKS / "gpu.txt")
    for lock in locks:
        install_lock(lock)
    stamp = ENVIRONMENT / "installed-project"
    project = digest([ROOT / "pyproject.toml"])
    if not stamp.is_file() or stamp.read_text() != project:
        pip("install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
        stamp.write_text(project)


def install_lock(lock: Path) -> None:
    """Install one list of pinned packages."""
    stamp = ENVIRONMENT / f"installed-{lock.stem}"
    wanted = digest([lock])
    if PYTHON.is_file() and stamp.is_file() and stamp.read_text() == wanted:
        return
    if not PYTHON.is_file():
        say(f"making the environment {ENVIRONMENT}")
        see_to_ensurepip()
        venv.create(ENVIRONMENT, with_pip=True, clear=ENVIRONMENT.exists())
    if lock.stem == "base" and (ENVIRONMENT / "installed-test").is_file():
        newest = digest([LOCKS / "test.txt"])
        if (ENVIRONMENT / "installed-test").read_text() == newest:
            return  # the pins of the checks hold all of the program's
    say(f"installing the packages of {lock.name}; the first time this downloads about 1 GB")
    if not has_pip():
        subprocess.check_call([str(PYTHON), "-m", "ensurepip", "--upgrade"])
    pip("install", "--require-hashes", "--requirement", str(lock))
    stamp.write_text(wanted)


def see_to_ensurepip() -> None:
    """Debian and Ubuntu keep what a new environment needs in a package of its own."""
    if importlib.util.find_spec("ensurepip") is not None:
        return
    package = f"python3.{sys.version_info[1]}-venv"
    if not can_install():
        raise OSError(f"Python lacks ensurepip; on Debian and Ubuntu: sudo apt-get install {package}")
    apt_install([package])


def has_pip() -> bool:
    """Whether the environment has pip."""
    return subprocess.call([str(PYTHON), "-c", "import pip"], stderr=subprocess.DEVNULL) == 0


def pip(*words: str) -> None:
    """Run pip in the environment."""
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.check_call([str(PYTHON), "-m", "pip", *words, *quiet])


def digest(files: list[Path]) -> str:
    """A fingerprint of the contents of `files`."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def has_nvidia_driver() -> bool:
    """Whether an NVIDIA driver answers (Linux only: TensorFlow has no GPU support elsewhere)."""
    if platform.system() != "Linux" or shutil.which("nvidia-smi") is None:
        return False
    return subprocess.call(["nvidia-smi", "-L"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


# -- display -----------------------------------------------------------------------------------------------------------


def has_display() -> bool:
    """Whether a window can be shown."""
    if platform.system() != "Linux":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def missing_qt_libraries() -> list[str]:
    """System libraries that Qt's X11 plugin needs and this machine lacks (Linux only)."""
    code = "import PySide6, pathlib; print(pathlib.Path(PySide6.__file__).parent)"
    folder = Path(subprocess.check_output([str(PYTHON), "-c", code], text=True).strip())
    files = [folder / "Qt/plugins/platforms/libqxcb.so", folder / "Qt/lib/libQt6Gui.so.6"]
    lines = []
    for file in files:
        found = subprocess.run(["ldd", str(file)], capture_output=True, text=True, check=False)
        lines += [line.split()[0] for line in found.stdout.splitlines() if "not found" in line]
    return sorted(set(lines))


def see_to_qt(testing: bool) -> None:
    """Install the system libraries that Qt lacks, or name them."""
    if platform.system() != "Linux" or shutil.which("ldd") is None:
        return
    wanted = []
    missing = missing_qt_libraries()
    if missing:
        wanted += QT_PACKAGES
    if testing:
        wanted += [name for name in TEST_PACKAGES if shutil.which({"xvfb": "Xvfb"}.get(name, name)) is None]
    if not wanted:
        return
    if can_install():
        apt_install(wanted)
        return
    if missing:
        say(f"Qt needs system libraries that are missing: {', '.join(missing)}.")
    if shutil.which("apt-get"):
        say(f"Install them with: sudo apt-get install {' '.join(wanted)}")


def can_install() -> bool:
    """Whether system packages can be installed here without asking anybody."""
    return shutil.which("apt-get") is not None and hasattr(os, "geteuid") and os.geteuid() == 0


def apt_install(packages: list[str]) -> None:
    """Install system packages."""
    say(f"installing system packages: {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.check_call(["apt-get", "update", "-qq"], env=environment, stdout=subprocess.DEVNULL)
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    subprocess.check_call(command, env=environment, stdout=subprocess.DEVNULL)


# -- without a display -------------------------------------------------------------------------------------------------


def run_reference_study() -> int:
    """Run the bundled reference study in the terminal and save its three best models."""
    say("there is no display, so no window can open: running the reference study in the terminal instead")
    folder = free_folder(Path.cwd() / "reference-study")
    steps = [
        ["new", str(folder), "--example", "reference"],
        ["run", str(folder)],
        ["results", str(folder), "--top", "10"],
        ["save", str(folder), "--top", "3"],
    ]
    for step in steps:
        code = run([str(PYTHON), "-m", "tunerstudio", *step])
        if code != 0:
            return code
    say(f"the three best models are in {folder / 'models'}")
    return 0


def free_folder(folder: Path) -> Path:
    """`folder`, or the first of folder-2, folder-3, ... that does not exist."""
    candidate, number = folder, 1
    while candidate.exists():
        number += 1
        candidate = folder.with_name(f"{folder.name}-{number}")
    return candidate


# -- checks ------------------------------------------------------------------------------------------------------------


def run_checks(words: list[str]) -> int:
    """Lint, types, import contracts, tests (also in a real window), and the wheel away from the checkout."""
    tools = ENVIRONMENT / ("Scripts" if WINDOWS else "bin")
    checks = [
        ("lint", [str(tools / "ruff"), "check", "."]),
        ("format", [str(tools / "ruff"), "format", "--check", "."]),
        ("types", [str(tools / "mypy")]),
        ("import contracts", [str(tools / "lint-imports")]),
        ("wheel", [str(PYTHON), "installer/check_wheel.py"]),
        ("tests", [str(PYTHON), "-m", "pytest", *side_by_side(), *words]),
    ]
    failed = []
    for name, command in checks:
        say(f"check: {name}")
        if subprocess.call(command, cwd=ROOT, env=test_environment()) != 0:
            failed.append(name)
    say(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


def side_by_side() -> list[str]:
    """Words for pytest: files of tests run side by side, as far as there are cores; `-n 0` behind them undoes it."""
    return ["-n", str(min(os.cpu_count() or 1, MOST_SIDE_BY_SIDE)), "--dist", "loadfile"]


def test_environment() -> dict[str, str]:
    """The environment of the checks: nothing of the user's own is touched."""
    home = tempfile.mkdtemp(prefix="tunerstudio-test-")
    return {**os.environ, "TUNERSTUDIO_HOME": home, "PYTHONDONTWRITEBYTECODE": "1"}


if __name__ == "__main__":
    sys.exit(main())
