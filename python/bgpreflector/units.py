"""Counts, sizes and durations as people read them."""

from __future__ import annotations

from collections.abc import Mapping

_SIZES = ("bytes", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024
_EXACT = 100
_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_TENTHS = 10


def counts_text(counts: Mapping[str, int]) -> str:
    """Counts with their names, without those that are zero.

    Examples:
        >>> counts_text({"no_interface": 1200, "over_limit": 0, "add": 3})
        '1,200 no interface, 3 add'
    """
    return ", ".join(
        f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count
    )


def counted(count: int, what: str) -> str:
    """A number of things.

    Examples:
        >>> counted(1, "route"), counted(1200, "prefix")
        ('1 route', '1,200 prefixes')
    """
    plural = f"{what}es" if what.endswith("x") else f"{what}s"
    return f"{count:,} {what if count == 1 else plural}"


def size_text(count: float) -> str:
    """A number of bytes.

    Examples:
        >>> size_text(512), size_text(55 << 20), size_text(3 << 29)
        ('512 bytes', '55 MiB', '1.5 GiB')
    """
    unit = 0
    while count >= _STEP and unit < len(_SIZES) - 1:
        count, unit = count / _STEP, unit + 1
    digits = 0 if unit == 0 or count >= _EXACT or count == int(count) else 1
    return f"{count:.{digits}f} {_SIZES[unit]}"


def duration_text(seconds: float) -> str:
    """A number of seconds.

    Examples:
        >>> duration_text(0.25), duration_text(42.4), duration_text(200)
        ('0.2 s', '42 s', '3 min 20 s')
        >>> duration_text(7500), duration_text(90000)
        ('2 h 5 min', '1 d 1 h')
    """
    if seconds < _TENTHS:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"
