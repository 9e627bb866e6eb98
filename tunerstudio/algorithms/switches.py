"""Which plugins the user has switched off; kept in the user's own folder."""

from __future__ import annotations

import json
from pathlib import Path

from tunerstudio.locations import user_data_folder
from tunerstudio.study.files import write_atomically


def _file() -> Path:
    return user_data_folder() / "plugins.json"


def disabled_plugins() -> frozenset[str]:
    """Ids of the plugins that are switched off; an unreadable file switches nothing off."""
    try:
        content = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return frozenset()
    disabled = content.get("disabled") if isinstance(content, dict) else None
    return frozenset(map(str, disabled)) if isinstance(disabled, list) else frozenset()


def set_enabled(plugin_id: str, enabled: bool) -> None:
    """Switch a plugin on or off, from the next look for plugins on."""
    disabled = disabled_plugins() - {plugin_id} if enabled else disabled_plugins() | {plugin_id}
    _file().parent.mkdir(parents=True, exist_ok=True)
    write_atomically(_file(), json.dumps({"disabled": sorted(disabled)}, indent=1).encode())
