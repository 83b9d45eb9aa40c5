"""A daemon's status report, read from its answer to ``status``.

By hand, as a library that validates takes longer to load than all else that ``status`` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from .report import StatusReport


class AnswerError(Exception):
    """An answer that is not of the expected form, as of another version's daemon."""


def read_report(answer: Mapping[str, object]) -> StatusReport:
    """The report of an answer; what it says beyond that is left out. Raises :class:`AnswerError`.

    Examples:
        >>> read_report({"schema": "2"})
        Traceback (most recent call last):
        bgpreflector.daemon.read_report.AnswerError: schema: '2' is no int
    """
    report: StatusReport = _read(StatusReport, answer, "")
    return report


_hints = cache(get_type_hints)


def _read(kind: Any, value: Any, where: str) -> Any:
    """``value`` of JSON as a ``kind``: what a report's fields are declared as, and no more."""
    origin = get_origin(kind)
    if origin is UnionType:
        (other,) = (one for one in get_args(kind) if one is not NoneType)
        return None if value is None else _read(other, value, where)
    if origin is tuple:
        item = get_args(kind)[0]
        found = _as(list, value, where)
        return tuple(_read(item, one, f"{where}[{at}]") for at, one in enumerate(found))
    if origin is Mapping:
        item = get_args(kind)[1]
        found = _as(dict, value, where)
        return {name: _read(item, one, f"{where}.{name}") for name, one in found.items()}
    if is_dataclass(kind):
        return _object(kind, _as(dict, value, where), where)
    if kind is float and type(value) is int:
        return float(value)
    return _as(kind, value, where)


def _object(kind: Any, value: Mapping[str, object], where: str) -> Any:
    hints = _hints(kind)
    read = {}
    for field in fields(kind):
        dotted = f"{where}.{field.name}" if where else field.name
        if field.name not in value:
            raise AnswerError(f"{dotted} is missing")
        read[field.name] = _read(hints[field.name], value[field.name], dotted)
    return kind(**read)


def _as(kind: type, value: Any, where: str) -> Any:
    # Not isinstance(): true is no number of routes.
    if type(value) is not kind:
        raise AnswerError(f"{where or 'the answer'}: {value!r} is no {kind.__name__}")
    return value
