"""What several packages read of an engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bgpreflector import _core


class HasLinks(Protocol):
    """What :func:`link_names` needs of :class:`bgpreflector._core.Engine`."""

    def links(self) -> list[tuple[int, str, bool]]: ...


def link_names(engine: HasLinks) -> dict[int, str]:
    """The kernel's interfaces by index."""
    return {index: name for index, name, _ in engine.links()}


def listing_groups(listing: _core.RouteListing) -> Iterator[_core._RouteGroup]:
    """The routes of a listing counted by what they share, a page at a time."""
    cursor: int | None = 0
    while cursor is not None:
        groups, cursor = listing.groups(cursor)
        yield from groups


def installed_count(prefixes: Mapping[str, Mapping[str, int]]) -> int:
    """The routes that VPP has, of counts by family as a status has them."""
    return sum(counts["installed"] for counts in prefixes.values())
