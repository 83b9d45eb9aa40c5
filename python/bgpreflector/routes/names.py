"""What people call tables and address families."""

from __future__ import annotations

RT_TABLE_MAIN = 254
"""The kernel's main table (linux/rtnetlink.h)."""


def table_name(number: int) -> str:
    """A kernel table as people call it."""
    return "main" if number == RT_TABLE_MAIN else str(number)


def family_name(*, is_ip6: bool) -> str:
    """An address family as people call it."""
    return "IPv6" if is_ip6 else "IPv4"
