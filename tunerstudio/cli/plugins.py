"""`tunerstudio plugin …`: make, check, install, list, switch and remove search algorithms and pruners."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tunerstudio.algorithms import discovery, installing
from tunerstudio.algorithms.discovery import AlgorithmInfo, inspect_folder
from tunerstudio.algorithms.installing import Candidate, PluginError
from tunerstudio.algorithms.skeleton import write_skeleton
from tunerstudio.cli.output import Output, number
from tunerstudio.locations import user_plugins_folder

if TYPE_CHECKING:
    from tunerstudio.algorithms.ranking import Place

Add = Callable[..., argparse.ArgumentParser]
"""Adds a command: (name, what it does, function)."""

FAILED = 2
_FAST_SPACES = 100
_ALL_SPACES = 1000
_ORACLE_SPACES = 3
_ORACLE_TRIALS = 15
"""Keras Tuner's oracles may take seconds for a proposal: they are tried less, so that a check takes minutes."""


def add_commands(add: Add) -> None:
    """Declare the commands of the group."""
    command = add("new", "write a plugin that works, to start from", new)
    command.add_argument("name", metavar="NAME", help='what people will read, such as "Tabu search"')
    command.add_argument("--pruner", action="store_true", help="one that ends trials instead of proposing them")
    command.add_argument("--to", metavar="DIR", type=Path, help="where (default: the user's plugin folder)")
    command = add("check", "check a plugin: manifest, conformance suite, ranking beside the shipped ones", check)
    command.add_argument("path", metavar="PATH", help="its folder, or the id of a plugin that is installed")
    command.add_argument("--quick", action="store_true", help="fewer random search spaces, no ranking")
    command = add("install", "install a plugin from a folder or a zip file", install)
    command.add_argument("path", metavar="PATH", type=Path, help="the folder or zip file")
    command.add_argument("--trust", action="store_true", help="do not ask whether its code may run")
    add("list", "list all plugins", list_plugins)
    for name, text, run in (
        ("enable", "switch a plugin on", enable),
        ("disable", "switch a plugin off", disable),
        ("remove", "move a plugin of yours to the trash", remove),
    ):
        add(name, text, run).add_argument("id", metavar="ID", help="see `tunerstudio plugin list`")


def new(options: argparse.Namespace, output: Output) -> int:
    """Write a plugin to start from."""
    parent: Path = options.to or user_plugins_folder()
    folder = write_skeleton(options.name, parent, options.pruner)
    info = inspect_folder(folder)
    output.say(f"The plugin {info.id} is in {folder}. It works already; edit {folder / (info.id + '.py')}.")
    output.say(f"Next: tunerstudio plugin check {info.id if options.to is None else folder}")
    if options.to is None and not options.pruner:
        output.say(f"Use it: tunerstudio new my-study --example reference --algorithm {info.id}")
    output.result({"id": info.id, "folder": str(folder)})
    return 0


def check(options: argparse.Namespace, output: Output) -> int:
    """Check a plugin and rank it."""
    # Imported here: SciPy and the suite are needed by this command alone.
    from tunerstudio.algorithms.conformance import check_algorithm

    info = _named(options.path)
    problems = list(info.problems)
    places: list[Place] = []
    if not problems:
        spaces = _FAST_SPACES if options.quick else _ALL_SPACES
        spaces = _ORACLE_SPACES if _is_oracle(info) else spaces
        problems = check_algorithm(info, spaces=spaces, say=output.note)
        if not options.quick:
            places = _ranking(info, output)
    content = {"id": info.id, "folder": str(info.folder), "problems": problems}
    output.result({**content, "ranking": [_place_json(place) for place in places]})
    for problem in problems:
        output.say(f"  ! {problem}")
    verdict = "passes every check" if not problems else f"has {len(problems)} problem{'s' * (len(problems) > 1)}"
    output.say(f"{info.name} ({info.id}) {verdict}.")
    return FAILED if problems else 0


def _named(path: str) -> AlgorithmInfo:
    """The plugin in a folder, or the one of this id."""
    if Path(path).is_dir():
        return inspect_folder(Path(path))
    try:
        return installing.find(path)
    except PluginError as error:
        raise PluginError(f"{path} is no folder, and {error}") from error


def _ranking(info: AlgorithmInfo, output: Output) -> list[Place]:
    from tunerstudio.algorithms import ranking

    if info.is_pruner:
        measured = ranking.rank_pruner(info)
    elif _is_oracle(info):
        measured = ranking.rank_algorithm(info, trials=_ORACLE_TRIALS, seeds=1)
    else:
        measured = ranking.rank_algorithm(info)
    places = []
    for place in measured:
        output.note(f"measured {place.name}")
        places.append(place)
    places = ranking.ranked(places)
    tasks = [task.name for task in ranking.TASKS]
    output.say("Regret on small functions (0: the best of 2,000 random configurations, 1: their median)")
    output.table(
        ["", "", *tasks, "mean", "ms"],
        [
            [
                "→" if place.id == info.id else "",
                place.name,
                *(number(round(place.regrets[task], 3)) if task in place.regrets else "–" for task in tasks),
                number(round(place.mean, 3)),
                number(round(place.seconds_per_proposal * 1000, 2)),
            ]
            for place in places
        ],
        right=[*tasks, "mean", "ms"],
    )
    return places


def _is_oracle(info: AlgorithmInfo) -> bool:
    return info.manifest is not None and info.manifest.kind == "oracle"


def _place_json(place: Place) -> dict[str, object]:
    return {
        "id": place.id,
        "name": place.name,
        "regrets": place.regrets,
        "mean": place.mean,
        "seconds_per_proposal": place.seconds_per_proposal,
    }


def install(options: argparse.Namespace, output: Output) -> int:
    """Install a plugin."""
    with installing.opened(options.path) as candidate:
        if not options.trust and not _is_trusted(candidate, output):
            raise PluginError("not installed: a plugin is Python code that runs with your rights; --trust allows it")
        folder = installing.install(candidate)
        info = candidate.info
    output.say(f"{info.name} is installed in {folder}.")
    for problem in info.problems:
        output.warn(problem)
    output.result({"id": info.id, "folder": str(folder), "problems": list(info.problems)})
    return 0


def _is_trusted(candidate: Candidate, output: Output) -> bool:
    """Ask the person at the terminal; without one, the answer is no."""
    if output.json_wanted or not sys.stdin.isatty():
        return False
    manifest = candidate.info.manifest
    assert manifest is not None  # `opened` refuses others
    output.say(f"{manifest.name} {manifest.version}: {manifest.description}")
    output.say(
        f"Its code ({', '.join(candidate.code)}) will run with your rights. Look at it if you do not know its author."
    )
    if candidate.replaces is not None and candidate.replaces.manifest is not None:
        output.say(f"It replaces version {candidate.replaces.manifest.version}, which goes to the trash.")
    return input("Install it? [y/N] ").strip().lower() in {"y", "yes"}


def list_plugins(options: argparse.Namespace, output: Output) -> int:
    """List all plugins."""
    found = discovery.find_plugins()
    output.result([_plugin_json(info) for info in found])
    rows = [
        (
            info.id,
            info.name,
            info.manifest.version if info.manifest else "–",
            _kind(info),
            info.origin,
            "on" if info.enabled else "off",
            "; ".join(info.problems) or "ok",
        )
        for info in found
    ]
    output.table(["id", "name", "version", "kind", "origin", "", "state"], rows)
    return 0


def _kind(info: AlgorithmInfo) -> str:
    if info.manifest is None:
        return "–"
    return {"propose": "algorithm", "oracle": "Keras Tuner oracle", "pruner": "pruner"}[info.manifest.kind]


def _plugin_json(info: AlgorithmInfo) -> dict[str, object]:
    return {
        "id": info.id,
        "name": info.name,
        "version": info.manifest.version if info.manifest else None,
        "kind": info.manifest.kind if info.manifest else None,
        "origin": info.origin,
        "folder": str(info.folder),
        "enabled": info.enabled,
        "usable": info.usable,
        "problems": list(info.problems),
    }


def enable(options: argparse.Namespace, output: Output) -> int:
    """Switch a plugin on."""
    return _switch(options.id, True, output)


def disable(options: argparse.Namespace, output: Output) -> int:
    """Switch a plugin off."""
    return _switch(options.id, False, output)


def _switch(plugin_id: str, enabled: bool, output: Output) -> int:
    info = installing.switch(plugin_id, enabled)
    output.say(f"{info.name} is switched {'on' if enabled else 'off'}.")
    output.result({"id": info.id, "enabled": enabled})
    return 0


def remove(options: argparse.Namespace, output: Output) -> int:
    """Move a plugin to the trash."""
    place = installing.remove(options.id)
    output.say(f"{options.id} is in {place}; move it back into {user_plugins_folder()} to have it again.")
    output.result({"id": options.id, "trash": str(place)})
    return 0
