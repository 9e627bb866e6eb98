"""Plugins written on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

MANIFEST = """\
id = "mine"
name = "Mine"
description = "A plugin of a test."
version = "1.0"
api = 1
module = "mine"
kind = "{kind}"
capabilities = ["conditional", "continuous", "parallel"]
{more}
"""

PluginWriter = Callable[..., Path]


@pytest.fixture
def write_plugin(tmp_path: Path) -> PluginWriter:
    """Write a plugin folder `mine` with the given code; returns the folder."""

    def write(code: str, kind: str = "propose", more: str = "") -> Path:
        folder = tmp_path / "mine"
        folder.mkdir(exist_ok=True)
        (folder / "MANIFEST.toml").write_text(MANIFEST.format(kind=kind, more=more), encoding="utf-8")
        (folder / "mine.py").write_text(code, encoding="utf-8")
        return folder

    return write
