"""Plugins come and go: taken from a folder or a zip into the user's plugin folder, moved to the trash. Runs no code."""

from __future__ import annotations

import shutil
import stat
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from tunerstudio.algorithms.discovery import AlgorithmInfo, find_plugins, inspect_folder
from tunerstudio.algorithms.manifest import MANIFEST_NAME
from tunerstudio.algorithms.switches import set_enabled
from tunerstudio.locations import user_data_folder, user_plugins_folder
from tunerstudio.study.errors import TunerStudioError, suggest

_MOST_BYTES: Final = 100_000_000
_MOST_FILES: Final = 2_000
_LEFT_OUT: Final = ("__pycache__", ".*", "*.pyc")


class PluginError(TunerStudioError):
    """A plugin that cannot be installed, removed or switched; the text says why and what to do."""


@dataclass(frozen=True)
class Candidate:
    """A plugin that may be installed.

    Attributes:
        info: What it is, and what is wrong with it.
        code: Names of its Python files, which will run with the user's rights.
        replaces: The plugin of the same id in the user's folder; None if it is new.
    """

    info: AlgorithmInfo
    code: tuple[str, ...]
    replaces: AlgorithmInfo | None


@contextmanager
def opened(source: Path) -> Iterator[Candidate]:
    """Look at the plugin in a folder or zip file; a zip is unpacked into a folder that is gone afterwards.

    Raises:
        PluginError: If there is no plugin, the zip is damaged or would write outside, or the plugin is broken.
    """
    if source.is_dir():
        yield _candidate(source)
    elif source.suffix.lower() == ".zip" and source.is_file():
        with tempfile.TemporaryDirectory(prefix="tunerstudio-plugin-") as temporary:
            yield _candidate(_unpacked(source, Path(temporary) / source.stem))
    else:
        raise PluginError(f"{source} is neither a folder nor a zip file")


def looks_like_plugin(source: Path) -> bool:
    """Whether a folder or zip file holds a manifest, so that it is meant to be installed."""
    if source.is_dir():
        return (source / MANIFEST_NAME).is_file()
    if source.suffix.lower() != ".zip":
        return False
    try:
        with zipfile.ZipFile(source) as archive:
            return any(PurePosixPath(name).name == MANIFEST_NAME for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def install(candidate: Candidate) -> Path:
    """Copy an opened plugin into the user's plugin folder; an older one of the same id goes to the trash.

    Returns:
        Its folder there.
    """
    parent = user_plugins_folder()
    parent.mkdir(parents=True, exist_ok=True)
    target = parent / candidate.info.id
    with tempfile.TemporaryDirectory(prefix=".installing-", dir=parent) as temporary:
        copy = Path(temporary) / candidate.info.id
        shutil.copytree(candidate.info.folder, copy, ignore=shutil.ignore_patterns(*_LEFT_OUT), symlinks=False)
        if candidate.replaces is not None:
            _to_trash(candidate.replaces)
        if target.exists():
            raise PluginError(f"{target} is there already and holds another plugin: rename one of the two")
        copy.rename(target)
    set_enabled(candidate.info.id, True)
    return target


def remove(plugin_id: str) -> Path:
    """Move a plugin of the user's folder to the trash.

    Returns:
        Where it is now.
    """
    info = find(plugin_id)
    if info.origin == "shipped":
        raise PluginError(f"{info.name} comes with the program and cannot be removed; it can be switched off")
    if info.origin == "installed":
        raise PluginError(f"{info.name} belongs to a Python package in {info.folder}: uninstall that with pip")
    return _to_trash(info)


def switch(plugin_id: str, enabled: bool) -> AlgorithmInfo:
    """Switch a plugin on or off; what it is."""
    info = find(plugin_id)
    set_enabled(info.id, enabled)
    return info


def find(plugin_id: str) -> AlgorithmInfo:
    """The plugin of this id, usable or not; the user's own first.

    Raises:
        PluginError: If there is none, with a suggestion.
    """
    found = find_plugins()
    own = [info for info in found if info.id == plugin_id]
    if not own:
        raise PluginError(f"there is no plugin {plugin_id!r}.{suggest(plugin_id, [info.id for info in found])}")
    return min(own, key=lambda info: info.origin != "user")


def trash_folder() -> Path:
    """Where removed plugins lie until the user deletes them."""
    return user_data_folder() / "trash"


def _candidate(folder: Path) -> Candidate:
    info = inspect_folder(folder)
    if info.manifest is None:
        raise PluginError(f"{folder.name} is no plugin that works: {'; '.join(info.problems)}")
    others = [other for other in find_plugins() if other.id == info.id]
    foreign = [other for other in others if other.origin != "user"]
    if foreign:
        raise PluginError(f"the id {info.id!r} is taken by {foreign[0].name!r} already; give the plugin another id")
    if info.folder.resolve().parent == user_plugins_folder().resolve():
        raise PluginError(f"{info.folder} lies in the plugin folder: it is installed")
    code = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*.py") if "__pycache__" not in path.parts
    )
    return Candidate(info, tuple(code), others[0] if others else None)


def _to_trash(info: AlgorithmInfo) -> Path:
    trash_folder().mkdir(parents=True, exist_ok=True)
    place = trash_folder() / f"{info.folder.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    number = 1
    while place.exists():
        number += 1
        place = place.with_name(f"{place.name}-{number}")
    shutil.move(info.folder, place)
    return place


def _unpacked(source: Path, target: Path) -> Path:
    """Unpack a zip into `target`; the folder inside that holds the manifest."""
    try:
        with zipfile.ZipFile(source) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            for member in members:
                _refuse_dangerous(source, member)
            if len(members) > _MOST_FILES or sum(member.file_size for member in members) > _MOST_BYTES:
                raise PluginError(f"{source} is too large for a plugin (100 MB and {_MOST_FILES} files at most)")
            target.mkdir()
            for member in members:
                archive.extract(member, target)
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError) as error:
        raise PluginError(f"{source} cannot be unpacked: {error}") from error
    places = [
        path.parent for path in [target / MANIFEST_NAME, *sorted(target.glob(f"*/{MANIFEST_NAME}"))] if path.is_file()
    ]
    if len(places) != 1:
        what = f"no {MANIFEST_NAME}" if not places else "several plugins; zip one folder"
        raise PluginError(f"{source} holds {what}")
    return places[0]


def _refuse_dangerous(source: Path, member: zipfile.ZipInfo) -> None:
    """Nothing may be written outside of the folder, through links or odd names."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in member.filename:
        raise PluginError(f"{source} is dangerous: it would write to {member.filename}, outside of its folder")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise PluginError(f"{source} is dangerous: it holds the link {member.filename}")
