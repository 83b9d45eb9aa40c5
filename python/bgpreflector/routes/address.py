"""Addresses that people ask about."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address


def without_zone(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the address; ``ValueError`` if it has a zone (RFC 4007)."""
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise ValueError(
            f"no zone (%{address.scope_id}): routers do not forward what goes to link-local "
            "addresses, so that there is no route of ours to them"
        )
    return address
