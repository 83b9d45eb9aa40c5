"""Ranges of kernel tables."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Annotated

from pydantic import BeforeValidator

from bgpreflector.rtnetlink import RT_TABLE_MAX

_RANGE = re.compile(r"(?P<low>[0-9]{1,10})-(?P<high>[0-9]{1,10})")


def table_range(value: object) -> tuple[int, int]:
    """``"all"``, or the lowest and the highest table of a range.

    Raises ``ValueError`` with what is allowed.
    """
    if isinstance(value, tuple | list) and len(value) == 2:  # noqa: PLR2004 - validated before
        value = f"{value[0]}-{value[1]}"
    if isinstance(value, str):
        text = value.strip().lower()
        found = _RANGE.fullmatch("1-4294967295" if text == "all" else text)
        if found is not None and 1 <= int(found["low"]) <= int(found["high"]) <= RT_TABLE_MAX:
            return int(found["low"]), int(found["high"])
    raise ValueError(
        'must be "all" or a range of kernel tables such as "1000-1999", the lower number first'
    )


def vpp_table_range(value: object) -> tuple[int, int]:
    """The lowest and the highest VPP table of a range.

    Raises ``ValueError`` with what is allowed.
    """
    if not isinstance(value, str) or _RANGE.fullmatch(value.strip()) is not None:
        with suppress(ValueError):
            low, high = table_range(value)
            if high < RT_TABLE_MAX:
                return low, high
    raise ValueError('must be a range of VPP tables such as "5000-5999", the lower number first')


VppTableRange = Annotated[tuple[int, int], BeforeValidator(vpp_table_range)]
TableRange = Annotated[tuple[int, int], BeforeValidator(table_range)]


def ranges_apart(section: object) -> object:
    """The ``kernel`` section with what is no single table of ``tables`` in ``discover``.

    ``tables = "all"`` is main and whatever else there is. What is wrong stays where it is.
    """
    if not isinstance(section, dict) or "tables" not in section:
        return section
    tables = section["tables"]
    if tables == "all":
        tables = ["main", "all"]
    if not isinstance(tables, list | tuple):
        return section
    ranges = [one for one in tables if _is_range(one)]
    if not ranges:
        return section
    discover = section.get("discover", ())
    further = list(discover) if isinstance(discover, list | tuple) else [discover]
    single = [one for one in tables if not _is_range(one)]
    return {**section, "tables": single, "discover": [*further, *ranges]}


def _is_range(value: object) -> bool:
    return isinstance(value, str) and (value == "all" or _RANGE.fullmatch(value) is not None)
