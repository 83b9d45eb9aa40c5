"""Addresses and prefixes that the command line names."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import click

from bgpreflector.routes.address import without_zone


def prefix(text: str) -> str:
    """A prefix; bits behind its length do not matter."""
    try:
        return str(ip_network(text, strict=False))
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no prefix, such as 192.0.2.0/24") from error


def address(text: str) -> str:
    """An address without a zone."""
    try:
        found = ip_address(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no address") from error
    try:
        return str(without_zone(found))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def address_or_prefix(text: str) -> str:
    """Either of them."""
    return prefix(text) if "/" in text else address(text)
