"""Build the wheel, install it away from the checkout, and use it there: nothing may be missing.

Usage: python installer/check_wheel.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Exit code 0 if the installed wheel works."""
    with tempfile.TemporaryDirectory(prefix="tunerstudio-wheel-") as name:
        folder = Path(name)
        installed = install(folder)
        environment = {**os.environ, "PYTHONPATH": str(installed), "TUNERSTUDIO_HOME": str(folder / "home")}
        where = run(environment, folder, "-c", "import tunerstudio; print(tunerstudio.__file__)").strip()
        if not where.startswith(str(installed)):
            raise SystemExit(f"the checkout was used instead of the wheel: {where}")
        check_contents(environment, folder)
        check_search(environment, folder)
    sys.stdout.write("the wheel works away from the checkout\n")
    return 0


def install(folder: Path) -> Path:
    """Build the wheel and install it, without its dependencies, into a folder of its own."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = folder.glob("*.whl")
    installed = folder / "installed"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(installed)]
    subprocess.run([*command, str(wheel)], check=True)
    return installed


def run(environment: dict[str, str], folder: Path, *words: str) -> str:
    """The output of Python run with `words`, away from the checkout."""
    command = [sys.executable, *words]
    return subprocess.run(command, check=True, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True).stdout


def command(environment: dict[str, str], folder: Path, *words: str) -> Any:
    """The JSON that a tunerstudio command prints."""
    return json.loads(run(environment, folder, "-m", "tunerstudio", *words, "--json"))


def check_contents(environment: dict[str, str], folder: Path) -> None:
    """Plugins and resources travel with the wheel."""
    algorithms = command(environment, folder, "algorithms")
    # What an optional package is missing for is no fault of the wheel.
    broken = [
        entry["id"] for entry in algorithms if any(not problem.startswith("needs: ") for problem in entry["problems"])
    ]
    if len(algorithms) < 4 or broken:
        raise SystemExit(f"algorithms in the wheel: {len(algorithms)}, broken: {broken}")
    examples = [entry["name"] for entry in command(environment, folder, "examples")]
    if "reference" not in examples:
        raise SystemExit(f"the wheel lacks the reference example; it has {examples}")


def check_search(environment: dict[str, str], folder: Path) -> None:
    """A search runs, and its best model is saved."""
    command(environment, folder, "new", "study", "--example", "reference")
    result = command(environment, folder, "run", "study", "--trials", "1")
    if result["completed"] != 1:
        raise SystemExit(f"the search did not complete: {result}")
    (model,) = command(environment, folder, "save", "study", "--top", "1")["models"]
    if not model["verified"]:
        raise SystemExit(f"the saved model does not give its score again: {model}")


if __name__ == "__main__":
    sys.exit(main())
