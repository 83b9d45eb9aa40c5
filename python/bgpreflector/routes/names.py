"""Display names of tables and address families."""

from __future__ import annotations

from bgpreflector.rtnetlink import RT_TABLE_MAIN


def table_name(number: int) -> str:
    """Display name of a kernel table: ``main``, or its number."""
    return "main" if number == RT_TABLE_MAIN else str(number)


def family_name(*, is_ip6: bool) -> str:
    """Display name of an address family."""
    return "IPv6" if is_ip6 else "IPv4"
