"""Where algorithms are found: shipped, in the user's folder, in installed packages. Nothing of theirs is imported.

A broken plugin is an entry with its problems, never an exception: one red row in the list.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from pydantic import JsonValue

from tunerstudio.algorithms.manifest import MANIFEST_NAME, Manifest, Option, read_manifest
from tunerstudio.algorithms.switches import disabled_plugins
from tunerstudio.locations import shipped_plugins_folder, user_plugins_folder
from tunerstudio.study.errors import Problem, StudyError, suggest
from tunerstudio.study.hyperparameters import UNCOUNTABLE, SearchSpace

ENTRY_POINT_GROUP: Final = "tunerstudio.algorithms"
"""Entry points of this group name a package (folder) that holds a MANIFEST.toml."""

Origin = Literal["shipped", "user", "installed"]


@dataclass(frozen=True)
class AlgorithmInfo:
    """One plugin, usable or broken.

    Attributes:
        id: From the manifest; the folder's name if that cannot be read.
        origin: Where it came from.
        folder: Where it lies.
        manifest: None if it is wrong.
        problems: What is wrong, one sentence each; empty: it can be used.
        enabled: False if the user has switched it off.
    """

    id: str
    origin: Origin
    folder: Path
    manifest: Manifest | None
    problems: tuple[str, ...] = ()
    enabled: bool = True

    @property
    def usable(self) -> bool:
        """Whether it can run."""
        return self.manifest is not None and not self.problems and self.enabled

    @property
    def is_pruner(self) -> bool:
        """Whether it ends trials instead of proposing them."""
        return self.manifest is not None and self.manifest.kind == "pruner"

    @property
    def name(self) -> str:
        """What people read."""
        return self.manifest.name if self.manifest else self.id


def find_plugins() -> list[AlgorithmInfo]:
    """All plugins: shipped ones, then the user's, then those of installed packages; by name within each."""
    found: list[AlgorithmInfo] = []
    taken: dict[str, AlgorithmInfo] = {}
    off = disabled_plugins()
    for info in _all():
        if info.id in off:
            info = replace(info, enabled=False)
        first = taken.setdefault(info.id, info)
        if first is not info:
            reason = f"id: {info.id!r} is already taken by {first.name!r} in {first.folder}; give this one another id"
            info = replace(info, problems=(*info.problems, reason))
        found.append(info)
    return found


def find_algorithms() -> list[AlgorithmInfo]:
    """All plugins that propose trials, and the broken ones, of which nobody knows."""
    return [info for info in find_plugins() if not info.is_pruner]


def find_pruners() -> list[AlgorithmInfo]:
    """All plugins that end trials early."""
    return [info for info in find_plugins() if info.is_pruner]


def get(algorithm_id: str) -> AlgorithmInfo:
    """The usable algorithm of this id.

    Raises:
        StudyError: If there is none (with a suggestion), it is switched off, or broken (with its problems).
    """
    return _usable(algorithm_id, find_algorithms(), "search algorithm", "search.algorithm.id")


def get_pruner(pruner_id: str) -> AlgorithmInfo:
    """The usable pruner of this id.

    Raises:
        StudyError: If there is none (with a suggestion), it is switched off, or broken (with its problems).
    """
    return _usable(pruner_id, find_pruners(), "pruning method", "search.pruning.method")


def _usable(plugin_id: str, known: list[AlgorithmInfo], what: str, field: str) -> AlgorithmInfo:
    for info in known:
        if info.id == plugin_id and info.usable:
            return info
    for info in known:
        if info.id != plugin_id:
            continue
        switched_off = f"it is switched off (Tools > Plugins, or tunerstudio plugin enable {info.id}, switches it on)"
        reasons = "; ".join(info.problems) or switched_off
        raise StudyError([Problem(field, f"the {what} {plugin_id!r} in {info.folder} cannot be used: {reasons}")])
    usable = sorted(info.id for info in known if info.usable)
    hint = suggest(plugin_id, usable) or f" Known are {', '.join(usable)}."
    raise StudyError([Problem(field, f"there is no {what} {plugin_id!r}.{hint}")])


def inspect_folder(folder: Path, origin: Origin = "user") -> AlgorithmInfo:
    """What lies in one plugin folder."""
    manifest, problems = read_manifest(folder)
    if manifest is None:
        return AlgorithmInfo(folder.name, origin, folder, None, tuple(problems))
    how = f"; pip install {manifest.install} brings it" if manifest.install else ""
    missing = tuple(
        f"needs: the Python package {name!r} is not installed{how}"
        for name in manifest.needs
        if not _is_installed(name)
    )
    return AlgorithmInfo(manifest.id, origin, folder, manifest, missing)


def check_options(
    manifest: Manifest, options: Mapping[str, JsonValue], prefix: str = "search.algorithm.options."
) -> tuple[dict[str, bool | int | float | str | None], list[Problem]]:
    """Complete and check the options of a study.

    Returns:
        Every option with its value (the default where `options` says nothing or something wrong), and what is
        wrong, under `prefix` and the option's name.
    """
    names = [option.name for option in manifest.options]
    problems = [
        Problem(prefix + key, f"{manifest.name} has no option {key!r}.{suggest(key, names)}")
        for key in options
        if key not in names
    ]
    complete: dict[str, bool | int | float | str | None] = {}
    for option in manifest.options:
        complete[option.name] = option.default
        if option.name not in options:
            continue
        problem = option.problem(options[option.name])
        if problem:
            problems.append(Problem(prefix + option.name, problem))
        else:
            complete[option.name] = _plain(option, options[option.name])
    return complete, problems


def check_space(manifest: Manifest, space: SearchSpace) -> list[Problem]:
    """What keeps this algorithm from searching this space, one sentence each."""
    field = "search.algorithm.id"
    problems = []
    if "conditional" not in manifest.capabilities and any(h.conditions for h in space.hyperparameters):
        problems.append(Problem(field, f"{manifest.name} cannot search spaces with conditional hyperparameters"))
    if "continuous" not in manifest.capabilities:
        names = [h.name for h in space.hyperparameters if h.count() == UNCOUNTABLE]
        if names:
            problems.append(Problem(field, f"{manifest.name} needs a step for {', '.join(names)}"))
    return problems


def _plain(option: Option, value: JsonValue) -> bool | int | float | str | None:
    assert value is None or isinstance(value, bool | int | float | str)  # Option.problem has checked it
    return option.coerced(value)


def _all() -> Iterator[AlgorithmInfo]:
    yield from _in_folder(shipped_plugins_folder(), "shipped")
    yield from _in_folder(user_plugins_folder(), "user")
    yield from sorted(_installed(), key=lambda info: info.name.lower())


def _in_folder(parent: Path, origin: Origin) -> list[AlgorithmInfo]:
    if not parent.is_dir():
        return []
    folders = [path for path in parent.iterdir() if path.is_dir() and not path.name.startswith((".", "_"))]
    infos = [inspect_folder(folder, origin) for folder in folders]
    return sorted(infos, key=lambda info: info.name.lower())


def _installed() -> Iterator[AlgorithmInfo]:
    for entry in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
        folder = _folder_of_package(entry.module)
        if folder is None:
            reason = f"the entry point {entry.name!r} names {entry.module!r}, a package that cannot be found"
            yield AlgorithmInfo(entry.name, "installed", Path(), None, (reason,))
        elif not (folder / MANIFEST_NAME).is_file():
            reason = f"the package {entry.module!r} of the entry point {entry.name!r} has no {MANIFEST_NAME}"
            yield AlgorithmInfo(entry.name, "installed", folder, None, (reason,))
        else:
            yield inspect_folder(folder, "installed")


def _folder_of_package(dotted: str) -> Path | None:
    """Folder of a package. Only the top one is looked up: finding a child by name would import its parents."""
    top, *rest = dotted.split(".")
    spec = importlib.util.find_spec(top)
    for location in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(location, *rest)
        if folder.is_dir():
            return folder
    return None


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module.split(".")[0]) is not None
