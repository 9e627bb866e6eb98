"""Which studies may run code of their own: asked once per study folder, remembered in the user's own folder."""

from __future__ import annotations

import json
from pathlib import Path

from tunerstudio.locations import user_data_folder
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.files import write_atomically
from tunerstudio.study.model import CodeModel


def _trust_file() -> Path:
    return user_data_folder() / "trusted.json"


def _trusted_folders() -> list[str]:
    try:
        content = json.loads(_trust_file().read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return [str(folder) for folder in content] if isinstance(content, list) else []


def needs_trust(document: StudyDocument) -> bool:
    """Whether running this study runs code that came with it."""
    return isinstance(document.model, CodeModel)


def is_trusted(folder: Path, document: StudyDocument) -> bool:
    """Whether the study in `folder` may run: it holds no code, or the user has trusted this folder."""
    return not needs_trust(document) or str(folder.resolve()) in _trusted_folders()


def trust(folder: Path) -> None:
    """Remember that the user trusts the study in `folder`."""
    folders = sorted({*_trusted_folders(), str(folder.resolve())})
    _trust_file().parent.mkdir(parents=True, exist_ok=True)
    write_atomically(_trust_file(), json.dumps(folders, indent=1).encode())
