"""A new plugin that works from the start: its manifest, module and test, to be changed step by step."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template

from tunerstudio.algorithms.discovery import find_plugins
from tunerstudio.algorithms.installing import PluginError
from tunerstudio.locations import resources_folder


def write_skeleton(name: str, parent: Path, pruner: bool = False) -> Path:
    """Write the folder of a new plugin into `parent`.

    Args:
        name: What people will read, such as "Tabu search"; id and module follow from it.
        parent: Folder for plugins; made if it is not there.
        pruner: Whether it ends trials instead of proposing them.

    Returns:
        Its folder.

    Raises:
        PluginError: If the name gives no id, or the id or folder is taken.
    """
    plugin_id = plugin_id_from(name)
    taken = next((info for info in find_plugins() if info.id == plugin_id), None)
    if taken is not None:
        raise PluginError(f"there is a plugin {plugin_id!r} already, in {taken.folder}: take another name")
    folder = parent / plugin_id
    if folder.exists():
        raise PluginError(f"{folder} is there already: take another name or another folder (--to)")
    folder.mkdir(parents=True)
    words = {"id": plugin_id, "name": name.strip().replace('"', "'").replace("\\", ""), "module": plugin_id}
    for source in sorted((resources_folder() / "plugin_skeleton" / ("pruner" if pruner else "algorithm")).iterdir()):
        text = Template(source.read_text(encoding="utf-8")).substitute(words)
        (folder / source.name.replace("module", plugin_id)).write_text(text, encoding="utf-8")
    return folder


def plugin_id_from(name: str) -> str:
    """The id for a name: lower-case letters, digits and _.

    Raises:
        PluginError: If nothing is left of it.
    """
    plugin_id = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if not re.match(r"[a-z]", plugin_id):
        raise PluginError(f"{name!r} is no name for a plugin: it has to begin with a letter from a to z")
    return f"{plugin_id}_plugin" if keyword.iskeyword(plugin_id) else plugin_id
