"""Starting the real program as a user would."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class Finished:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@dataclass
class Program:
    """`tunerstudio` in a folder of its own."""

    folder: Path

    def command(self, *words):
        return [sys.executable, "-m", "tunerstudio", *map(str, words)]

    def run(self, *words, code=0):
        """Run a command to its end and expect its exit code."""
        done = subprocess.run(self.command(*words), cwd=self.folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == code, f"{words}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return Finished(done.returncode, done.stdout, done.stderr)

    def start(self, *words):
        """Start a command; its stderr can be read line by line."""
        return subprocess.Popen(
            self.command(*words), cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path)
