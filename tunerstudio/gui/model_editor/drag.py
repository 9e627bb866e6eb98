"""What is dragged between the palette and the network."""

from __future__ import annotations

import json

from PySide6.QtCore import QMimeData

from tunerstudio.gui.model_editor.tree import BlockPath

CLASS_FORMAT = "application/x-tunerstudio-layer-class"
BLOCK_FORMAT = "application/x-tunerstudio-block"


def class_data(name: str) -> QMimeData:
    """A class from the palette."""
    data = QMimeData()
    data.setData(CLASS_FORMAT, name.encode())
    return data


def block_data(path: BlockPath) -> QMimeData:
    """A block of the network."""
    data = QMimeData()
    data.setData(BLOCK_FORMAT, json.dumps(path).encode())
    return data


def dragged_class(data: QMimeData) -> str | None:
    """The class, if one is dragged."""
    return bytes(data.data(CLASS_FORMAT).data()).decode() if data.hasFormat(CLASS_FORMAT) else None


def dragged_block(data: QMimeData) -> BlockPath | None:
    """The block's path, if one is dragged."""
    if not data.hasFormat(BLOCK_FORMAT):
        return None
    return tuple(int(part) for part in json.loads(bytes(data.data(BLOCK_FORMAT).data())))
