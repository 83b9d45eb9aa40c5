"""The names of the IP tables that we create, which say whose they are."""

from __future__ import annotations

import hashlib
import re

MAX_BASE = 34
"""The longest part of a name that fits into VPP's 63 characters beside two table ids."""

HEAD, DIGEST = 17, 16
"""Characters of a longer FIB source's name, and of its digest."""


class TableNames:
    """The names of one instance's tables, which begin with its FIB source.

    Examples:
        >>> names = TableNames("bgpreflector")
        >>> names.name(10), names.name(51, 3000)
        ('bgpreflector-10', 'bgpreflector-51-kernel-3000')
        >>> names.kernel_table(51, "bgpreflector-51-kernel-3000")
        3000
        >>> names.is_ours(10, "another-10")
        False
        >>> len(TableNames("x" * 63).name(2**32 - 1, 2**32 - 1))
        63
    """

    def __init__(self, fib_source: str) -> None:
        base = fib_source
        if len(base) > MAX_BASE:
            digest = hashlib.sha256(fib_source.encode()).hexdigest()
            base = f"{fib_source[:HEAD]}.{digest[:DIGEST]}"
        self._base = base
        self._for_kernel = re.compile(rf"{re.escape(base)}-(?P<vpp>\d+)-kernel-(?P<kernel>\d+)")

    def name(self, table_id: int, kernel_table: int | None = None) -> str:
        """The name of a table, in either family.

        With ``kernel_table`` it is a free one that we chose, and the name keeps the choice.
        """
        name = f"{self._base}-{table_id}"
        return name if kernel_table is None else f"{name}-kernel-{kernel_table}"

    def kernel_table(self, table_id: int, name: str) -> int | None:
        """The kernel table that we chose the VPP table for, by its name."""
        found = self._for_kernel.fullmatch(name)
        return int(found["kernel"]) if found and int(found["vpp"]) == table_id else None

    def is_ours(self, table_id: int, name: str) -> bool:
        """Whether a table of that name is one that we created."""
        return name == self.name(table_id) or self.kernel_table(table_id, name) is not None
