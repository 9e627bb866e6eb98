"""Whether many columns are the pixels of one picture."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from tunerstudio.data.facts import ColumnFacts
from tunerstudio.study.data import ImageShape

_LEAST_PIXELS = 64
_BRIGHTEST = (1.0, 15.0, 16.0, 255.0)
_NUMBERED = re.compile(r"(.*?)[_ .\-x(\[]*\d+([_ .\-x,]+\d+)*[)\]]*")


def propose_image(features: Sequence[ColumnFacts]) -> ImageShape | None:
    """The shape of the picture whose pixels `features` are, or None if they do not look like pixels.

    Pixels are 64 or more columns of whole numbers from 0 to at most 255, numbered rather than named, and as many as
    fill a square of one or three channels.
    """
    side, channels = _square(len(features))
    if not side or not _numbered(features):
        return None
    if any(column.kind != "numeric" or column.nature == "empty" for column in features):
        return None
    smallest = min((float(column.values.min()) for column in features if len(column.values)), default=-1.0)
    largest = max((float(column.values.max()) for column in features if len(column.values)), default=-1.0)
    if smallest < 0 or not 0 < largest <= 255:
        return None
    if largest > 1 and not all(column.whole_numbers for column in features):
        return None
    maximum = next(bound for bound in _BRIGHTEST if largest <= bound)
    if not _many_share_a_range(features, largest):
        return None
    return ImageShape(height=side, width=side, channels=channels, maximum=maximum)


def _square(pixels: int) -> tuple[int, int]:
    if pixels < _LEAST_PIXELS:
        return 0, 0
    for channels in (1, 3):
        side = math.isqrt(pixels // channels)
        if side * side * channels == pixels:
            return side, channels
    return 0, 0


def _numbered(features: Sequence[ColumnFacts]) -> bool:
    """All names are one word and numbers: `column_1`, `pixel_0_7`, `28x28`, `12`."""
    matches = [_NUMBERED.fullmatch(column.name) for column in features]
    return all(matches) and len({match.group(1).lower() for match in matches if match}) == 1


def _many_share_a_range(features: Sequence[ColumnFacts], largest: float) -> bool:
    tops = np.array([column.values.max() if len(column.values) else 0.0 for column in features])
    return bool(np.mean(tops >= 0.5 * largest) > 0.3)
