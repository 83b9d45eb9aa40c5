"""Addresses and prefixes that the command line names."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface

import click

from bgpreflector.routes.address import without_zone


def prefix(text: str) -> str:
    """A prefix without a zone; bits behind its length do not matter."""
    try:
        found = ip_interface(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no prefix, such as 192.0.2.0/24") from error
    _without_zone(found)
    return str(found.network)


def address(text: str) -> str:
    """An address without a zone."""
    try:
        found = ip_address(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no address") from error
    return str(_without_zone(found))


def _without_zone(found: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    try:
        return without_zone(found)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def address_or_prefix(text: str) -> str:
    """Either of them."""
    return prefix(text) if "/" in text else address(text)
