"""The window stays light: no TensorFlow, no data frames, no plugin code in its process."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.gui

HEAVY = ("tensorflow", "keras", "keras_tuner", "pandas", "sklearn", "scipy", "matplotlib", "tunerstudio.worker")


def test_importing_the_whole_window_imports_nothing_heavy():
    script = (
        "import pkgutil, sys, importlib, tunerstudio.gui\n"
        "for found in pkgutil.walk_packages(tunerstudio.gui.__path__, 'tunerstudio.gui.'):\n"
        "    importlib.import_module(found.name)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
