"""Numbers as people read them: the same everywhere in the window."""

from __future__ import annotations

import math

_MINUTE_S = 60
_HOUR_S = 3600
_DAY_S = 86_400


def format_number(value: float | int | bool | str | None) -> str:
    """A value in at most 4 significant digits, exponent form at >= 1e4 or < 1e-4; whole numbers stay whole.

    None and NaN give an en dash; text is returned as it is; true and false read "yes" and "no".
    """
    if value is None or isinstance(value, str):
        return value or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if isinstance(value, int):
        return str(value) if abs(value) < 1_000_000 else _exponent(value)
    if value == 0:
        return "0"
    rounded = float(f"{value:.4g}")
    if abs(rounded) >= 1e4 or abs(rounded) < 1e-4:
        return _exponent(value)
    digits = max(0, 3 - math.floor(math.log10(abs(rounded))))
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:.0f}"


def _exponent(value: float) -> str:
    mantissa, exponent = f"{value:.3e}".split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}"


def format_score(mean: float | None, standard_error: float | None = None, count: int | None = None) -> str:
    """A score with its spread, such as `0.9662 ± 0.0041 (3)`; trailing zeros kept so that columns line up.

    Args:
        mean: The score; None or NaN gives an en dash.
        standard_error: Of the mean; None if there is only one execution.
        count: Number of executions; shown only beside a standard error.
    """
    if mean is None or math.isnan(mean):
        return "–"
    decimals = _score_decimals(mean)
    if decimals is None:
        text = format_number(mean)
        error = format_number(standard_error)
    else:
        text = f"{mean:.{decimals}f}"
        error = "" if standard_error is None else f"{standard_error:.{decimals}f}"
    if standard_error is None:
        return text
    return f"{text} ± {error} ({count})" if count else f"{text} ± {error}"


def _score_decimals(mean: float) -> int | None:
    """Decimals that show 4 significant digits of `mean`; None where the exponent form is due."""
    size = abs(mean)
    if math.isinf(size) or size >= 1e4 or 0 < size < 1e-4:
        return None
    return 4 if size <= 1 else max(0, 3 - math.floor(math.log10(size)))


def format_duration(seconds: float | None) -> str:
    """A duration in its two largest units, such as `0.3 s`, `45 s`, `2 min 5 s`, `1 h 12 min`, `3 d 4 h`."""
    if seconds is None or math.isnan(seconds) or math.isinf(seconds):
        return "–"
    if seconds < 0.1:
        return f"{max(seconds, 0.0) * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return _two(whole // _MINUTE_S, "min", whole % _MINUTE_S, "s")
    if whole < _DAY_S:
        return _two(whole // _HOUR_S, "h", whole % _HOUR_S // _MINUTE_S, "min")
    return _two(whole // _DAY_S, "d", whole % _DAY_S // _HOUR_S, "h")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"


def format_count(count: float) -> str:
    """A whole number with thousands separators (`1,248`); 1e7 and more in exponent form; infinite: `∞`."""
    if math.isinf(count):
        return "∞"
    return f"{count:,.0f}" if count < 1e7 else _exponent(count)


def format_bytes(count: float) -> str:
    """A size in the unit that suits it, in powers of ten: `0 B`, `12 kB`, `3.4 MB`, `1.2 GB`."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            shown = count / size
            return f"{shown:.1f} {unit}" if shown < 10 else f"{shown:.0f} {unit}"
    return f"{count:.0f} B"


def format_percent(fraction: float) -> str:
    """A share of one as whole percent; shares that would round to nothing read `<1 %`."""
    if 0 < fraction < 0.005:
        return "<1 %"
    return f"{fraction * 100:.0f} %"


def as_sentence(text: str) -> str:
    """The text with a capital at its beginning, unless a name such as `val_loss` or `model.py` stands there."""
    first = text.partition(" ")[0].rstrip(".:,;")
    return text if "_" in first or "." in first else text[:1].upper() + text[1:]
