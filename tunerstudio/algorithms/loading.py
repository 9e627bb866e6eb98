"""Import the module of a plugin; the only place where code of a plugin enters the process."""

from __future__ import annotations

import importlib
import sys
import traceback
from types import ModuleType
from typing import Final

from tunerstudio.algorithms.errors import AlgorithmError
from tunerstudio.algorithms.manifest import Manifest

_FUNCTIONS: Final = {"propose": "propose", "oracle": "create_oracle", "pruner": "observe_epoch"}
"""What a module must define, by the kind of plugin."""


def load_module(manifest: Manifest) -> ModuleType:
    """Import the plugin's module afresh, as part of a package of its own so that `from . import helper` works.

    Raises:
        AlgorithmError: If it raises or exits while it is imported, or lacks the function its kind needs.
    """
    package = "tunerstudio_plugin_" + manifest.id.replace("-", "_")
    _forget(package)
    parent = ModuleType(package)
    parent.__path__ = [str(manifest.folder)]
    sys.modules[package] = parent
    importlib.invalidate_caches()
    try:
        module = importlib.import_module(f"{package}.{manifest.module}")
    except (Exception, SystemExit) as error:
        _forget(package)
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise AlgorithmError(
            manifest.id, f"could not be loaded from {manifest.folder}: {reason}", traceback.format_exc()
        ) from error
    needed = _FUNCTIONS[manifest.kind]
    if not callable(getattr(module, needed, None)):
        _forget(package)
        raise AlgorithmError(manifest.id, f"has no function {needed}() in {manifest.module}.py")
    return module


def _forget(package: str) -> None:
    for name in [name for name in sys.modules if name == package or name.startswith(package + ".")]:
        del sys.modules[name]
