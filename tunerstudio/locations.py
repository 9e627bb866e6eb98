"""Where things lie: what ships with the program, and the user's own folders."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parent


def _shipped(name: str) -> Path:
    """A folder that a wheel carries inside the package and a checkout has beside it."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def resources_folder() -> Path:
    """Icons, translations, examples, templates, the layer catalogue."""
    return _shipped("resources")


def shipped_plugins_folder() -> Path:
    """The algorithms that come with the program."""
    return _shipped("plugins")


def user_data_folder() -> Path:
    """The user's plugins, logs and studies made from examples; `TUNERSTUDIO_HOME` overrides the system's place."""
    override = os.environ.get("TUNERSTUDIO_HOME")
    return Path(override) if override else Path(platformdirs.user_data_dir("tunerstudio", appauthor=False))


def user_plugins_folder() -> Path:
    """Where a user drops algorithm plugins."""
    return user_data_folder() / "plugins"


def log_folder() -> Path:
    """Log files of the window and the services."""
    return user_data_folder() / "logs"
