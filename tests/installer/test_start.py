"""`start.py`: nothing but the standard library, and sentences where the set-up cannot be done."""

import ast
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def start():
    specification = importlib.util.spec_from_file_location("start", ROOT / "start.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_it_imports_nothing_that_has_to_be_installed():
    tree = ast.parse((ROOT / "start.py").read_text(encoding="utf-8"))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (subprocess.CalledProcessError(1, ["pip", "install", "x"]), "It failed at:\n  pip install x"),
        (OSError(28, "No space left on device"), "No space left"),
        (KeyboardInterrupt(), "Stopped"),
    ],
)
def test_a_set_up_that_fails_is_a_sentence(start, monkeypatch, capsys, error, message):
    def fail(testing):
        raise error

    monkeypatch.setattr(start, "set_up", fail)
    monkeypatch.setattr(sys, "argv", ["start.py"])
    assert start.main() in (2, 130)
    assert message in capsys.readouterr().err


def test_a_python_without_packages_hands_over_to_another_one(start, monkeypatch, capfd):
    monkeypatch.setattr(start, "FIRST_PYTHON", (4, 1))
    monkeypatch.setattr(start, "LAST_PYTHON", (4, 1))
    monkeypatch.setattr(sys, "argv", ["start.py", "--help"])
    monkeypatch.setattr(start.shutil, "which", lambda name: None)
    assert start.main() == 2
    assert "needs Python 3.11" in capfd.readouterr().err
    monkeypatch.setattr(start, "FIRST_PYTHON", (3, 11))
    monkeypatch.setattr(start, "LAST_PYTHON", (3, 13))
    monkeypatch.setattr(start.shutil, "which", lambda name: "/bin/echo" if name == "python3.12" else None)
    assert start.with_other_python(["test"]) == 0
    assert capfd.readouterr().out == f"{ROOT / 'start.py'} test\n"


def test_folders_that_exist_are_left_alone(start, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a-2").mkdir()
    assert start.free_folder(tmp_path / "a") == tmp_path / "a-3"
    assert start.free_folder(tmp_path / "b") == tmp_path / "b"


@pytest.mark.skipif(os.name == "nt", reason="signals to a group of processes are POSIX")
def test_what_ctrl_c_means_is_left_to_the_program(tmp_path):
    child = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: (print('in order', flush=True), sys.exit(130)))\n"
        "print('ready', flush=True)\n"
        "signal.pause()\n"
    )
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        f"import start; sys.exit(start.run([sys.executable, '-c', {child!r}]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "in order\n", "")
