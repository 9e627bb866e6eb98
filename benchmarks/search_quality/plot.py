"""Regret over trials as a drawing (SVG), one line per algorithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

import numpy as np

from benchmarks.search_quality.report import Array, curves
from benchmarks.search_quality.searches import Outcome

_WIDTH: Final = 760
_HEIGHT: Final = 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 180, 20, 50
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c6d00", "#56b4e9", "#e69f00", "#777777", "#000000")
_TICKS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_FIRST: Final = 5
"""The trial at which the lines begin: before, all draw at random."""

_ROW: Final = 16
"""Least distance between two names, in pixels."""


class _Scale:
    """From trials and regrets (on a logarithmic scale) to pixels."""

    def __init__(self, last: int, low: float, high: float) -> None:
        self.last, self.low, self.high = last, low, high

    def x(self, trial: float) -> float:
        return _LEFT + (trial - _FIRST) / (self.last - _FIRST) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, regret: float) -> float:
        part = np.log(max(regret, self.low) / self.high) / np.log(self.low / self.high)
        return float(_TOP + part * (_HEIGHT - _TOP - _BOTTOM))


def plot(done: Sequence[Outcome], names: Mapping[str, str], unit: str) -> str:
    """The drawing.

    Args:
        done: All searches, of equal budgets.
        names: What to call an algorithm, where that is not its id.
        unit: Of the horizontal axis.
    """
    lines = {algorithm: curves(done, algorithm) for algorithm in dict.fromkeys(o.algorithm for o in done)}
    values = np.concatenate([line[_FIRST - 1 :] for line in lines.values()])
    last = len(next(iter(lines.values())))
    scale = _Scale(last, float(max(values.min(), 1e-3)) * 0.9, float(values.max()) * 1.05)
    parts = [*_frame(scale, unit)]
    for line, colour in zip(lines.values(), _COLOURS, strict=False):
        points = " ".join(f"{scale.x(n):.1f},{scale.y(line[n - 1]):.1f}" for n in range(_FIRST, last + 1))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
    parts += _names(scale, lines, names)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _frame(scale: _Scale, unit: str) -> list[str]:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = []
    for tick in (tick for tick in _TICKS if scale.low <= tick <= scale.high):
        y = scale.y(tick)
        parts.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#333333">{tick:g}</text>')
    for trial in [_FIRST, *range(25, scale.last + 1, 25)]:
        x = scale.x(trial)
        parts.append(f'<line x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{bottom + 5}" stroke="#333333"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 19}" text-anchor="middle" fill="#333333">{trial}</text>')
    middle = (_LEFT + right) / 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 10}" text-anchor="middle" fill="#333333">{escape(unit)}</text>')
    parts.append(f'<line x1="{_LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}" stroke="#333333"/>')
    turn = f"rotate(-90 14 {(_TOP + bottom) / 2})"
    parts.append(
        f'<text x="14" y="{(_TOP + bottom) / 2}" text-anchor="middle" fill="#333333" transform="{turn}">regret</text>'
    )
    return parts


def _names(scale: _Scale, lines: Mapping[str, Array], names: Mapping[str, str]) -> list[str]:
    """The name of each line beside its end, moved apart where they would lie on each other."""
    colours = dict(zip(lines, _COLOURS, strict=False))
    ends = sorted((scale.y(line[-1]), algorithm) for algorithm, line in lines.items())
    places: list[float] = []
    for y, _ in ends:
        places.append(max(y, places[-1] + _ROW) if places else y)
    overrun = max(places[-1] - (_HEIGHT - _BOTTOM), 0.0)
    parts = []
    for place, (_, algorithm) in zip(places, ends, strict=True):
        name = escape(names.get(algorithm, algorithm))
        x, y = _WIDTH - _RIGHT + 8, place - overrun + 4
        parts.append(f'<text x="{x}" y="{y:.1f}" fill="{colours[algorithm]}">{name}</text>')
    return parts
