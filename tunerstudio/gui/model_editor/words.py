"""What follows from the data, in words: the rows Input and Output of a network."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from tunerstudio.gui.model_editor.summary import Segment
from tunerstudio.protocol.preview import Preview
from tunerstudio.study.data import Data


def input_segments(data: Data) -> list[Segment]:
    """What the network sees: `9 numeric, 2 categorical`, or the size of the pictures, the rows of a window."""
    if data.image is not None:
        image = data.image
        size = f"{image.height} × {image.width} × {image.channels}"
        return [Segment(_tr("images {size}").format(size=size))]
    if data.look == "text":
        return [Segment(_tr("the words of a text, numbered"))]
    kinds = [column.kind for column in data.columns if column.role == "feature"]
    words = []
    if data.window is not None:
        words.append(_tr("{count} rows before").format(count=data.window.past))
        if data.window.knows_target:
            kinds += ["numeric" if data.task == "regression" else "categorical"] * len(data.named_with_role("target"))
    if numeric := kinds.count("numeric"):
        words.append(_tr("{count} numeric").format(count=numeric))
    if categorical := kinds.count("categorical"):
        words.append(_tr("{count} categorical").format(count=categorical))
    if text := kinds.count("text"):
        words.append(_tr("{count} text").format(count=text))
    return [Segment(", ".join(words) or _tr("from the data"))]


def output_units(data: Data, preview: Preview | None) -> str:
    """What the last layer is, as far as it is known: `1 unit, sigmoid`."""
    if data.task == "binary":
        return _tr("1 unit, sigmoid")
    if data.task == "multiclass":
        classes = len(preview.classes) if preview is not None else 0
        return _tr("{count} units, softmax").format(count=classes) if classes else _tr("a unit for each class, softmax")
    if data.reconstruct:
        return _tr("a unit for each number of the input, linear")
    if data.task == "regression":
        targets = len(data.named_with_role("target"))
        if targets > 1:
            return _tr("{count} units, linear").format(count=targets)
        return _tr("1 unit, linear")
    return _tr("from the data")


def _tr(text: str) -> str:
    return QCoreApplication.translate("Network", text)
