"""Values that are more than a number or a text: names, sizes, tables."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, ByteSize, Field, Strict, TypeAdapter, ValidationError

from bgpreflector.fib_types import INDEX_INVALID
from bgpreflector.rtnetlink import (
    RT_TABLE_DEFAULT,
    RT_TABLE_LOCAL,
    RT_TABLE_MAIN,
    RT_TABLE_MAX,
)

from .iproute2 import names_by_number
from .protocols import expanded
from .suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

KERNEL_TABLES: Mapping[str, int] = {
    "default": RT_TABLE_DEFAULT,
    "main": RT_TABLE_MAIN,
    "local": RT_TABLE_LOCAL,
}
"""The kernel's tables by iproute2's names."""

_MAX_SOCKET_PATH = 107
"""What ``sun_path`` holds besides its final zero."""

_BYTES = TypeAdapter(ByteSize)


def _named(value: object, names: Mapping[str, int], allowed: str, highest: int) -> int:
    """A number from 1 to ``highest``, given as such, in digits or by name."""
    hint = ""
    if isinstance(value, str):
        text = value.strip().lower()
        value = int(text) if text.isdecimal() else names.get(text, value)
        hint = did_you_mean(text, names)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= highest:
        return value
    raise ValueError(f"must be {allowed}{hint}")


def kernel_table(value: object) -> int:
    """A kernel table (``RTA_TABLE``) by number or name."""
    allowed = 'a kernel table, 1 to 4294967295, "main", or another name of iproute2\'s rt_tables'
    host = {name.lower(): number for number, name in names_by_number("rt_tables").items()}
    return _named(value, {**host, **KERNEL_TABLES}, allowed, RT_TABLE_MAX)


def byte_size(value: object) -> int:
    """A number of bytes, also as text with a unit: ``"32 MiB"``."""
    if not isinstance(value, bool) and isinstance(value, int | str):
        try:
            return int(_BYTES.validate_python(value))
        except ValidationError:
            pass
    raise ValueError('must be a number of bytes or a size such as "32 MiB"')


_DURATION = re.compile(r"(?:(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|min|m|h|d)\s*)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def duration(value: object) -> object:
    """A number of seconds as it is, or that of a text with units: ``"5m"``, ``"1h 30m"``."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text):
        raise ValueError('must be a number of seconds or a duration such as "90s", "5m" or "1h30m"')
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def linux_interface(value: object) -> str:
    """The name of a Linux interface (``IFNAMSIZ``, ``dev_valid_name``)."""
    if (
        isinstance(value, str)
        and re.fullmatch(r"[^\s/:]{1,15}", value)
        and value not in (".", "..")
    ):
        return value
    raise ValueError("must be the name of a Linux interface: 1 to 15 characters, no space, / or :")


def optional_vpp_interface(value: object) -> str | int | None:
    """As :func:`vpp_interface`, or ``None``."""
    return None if value is None else vpp_interface(value)


def vpp_interface(value: object) -> str | int:
    """A VPP interface by name or by ``sw_if_index``."""
    if isinstance(value, str) and re.fullmatch(r"[!-~]{1,63}", value):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < INDEX_INVALID:
        return value
    raise ValueError(
        "must be a VPP interface: its name, 1 to 63 characters without space, or its sw_if_index"
    )


def namespace(value: object) -> str | None:
    """A network namespace: a name of ``ip netns``, or the absolute path of its file."""
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"/.*|(?!\.\.?$)[^\s/]+", value):
        return value
    raise ValueError("must be a name as in `ip netns list` or an absolute path")


_RULE = re.compile(r"(?P<prefix>[0-9A-Fa-f.:]+/\d{1,3})(?:\{(?P<low>\d{1,3}),(?P<high>\d{1,3})\})?")


def parse_rule(rule: str) -> tuple[str, int, int]:
    """A prefix rule's prefix and the shortest and longest length of what it matches.

    Raises ``ValueError`` where it is none.
    """
    match = _RULE.fullmatch(rule)
    if match is None:
        raise ValueError("not ADDRESS/LENGTH or ADDRESS/LENGTH{LOW,HIGH}")
    network = ip_network(match["prefix"])
    low = network.prefixlen if match["low"] is None else int(match["low"])
    high = network.max_prefixlen if match["high"] is None else int(match["high"])
    if not network.prefixlen <= low <= high <= network.max_prefixlen:
        bounds = f"{network.prefixlen} to {network.max_prefixlen}"
        raise ValueError(f"lengths within {network} are {bounds}, the lower one first")
    return str(network), low, high


def prefix_rule(value: object) -> str:
    """A prefix, with or without bounds of length: ``10.0.0.0/8{16,24}``."""
    example = 'must be a prefix such as "10.0.0.0/8" or "10.0.0.0/8{16,24}"'
    text = value.replace(" ", "") if isinstance(value, str) else ""
    try:
        prefix, low, high = parse_rule(text)
    except ValueError as error:
        raise ValueError(f"{example}: {error}") from error
    return f"{prefix}{{{low},{high}}}" if "{" in text else prefix


def socket_path(value: object) -> str:
    """The absolute path of a socket; ``sun_path`` holds 107 bytes."""
    if isinstance(value, str) and value.startswith("/") and len(value.encode()) <= _MAX_SOCKET_PATH:
        return value
    raise ValueError("must be an absolute path of at most 107 bytes")


def optional_socket_path(value: object) -> str | None:
    """As :func:`socket_path`, or ``None``, which in a file is an empty text."""
    return None if value in (None, "") else socket_path(value)


def optional_directory(value: object) -> str | None:
    """An absolute path, or ``None``, which in a file is an empty text."""
    if value in (None, ""):
        return None
    if isinstance(value, str) and value.startswith("/") and "\0" not in value:
        return value
    raise ValueError("must be the absolute path of a directory")


def file_mode(value: object) -> str:
    """The mode of a socket's file. No number: without quotes 660 would be decimal."""
    if isinstance(value, str) and re.fullmatch(r"0?[67][0-7]{2}", value):
        return value
    raise ValueError('must be three octal digits in quotes such as "660", with 6 for the owner')


VPP_SOURCE_NAMES = re.compile(
    "invalid|special|classify|proxy|interface|SR|BIER|6RD|API|CLI|LISP|MAP|DHCP|IPv6-(proxy-)?nd"
    "|adjacency|mpls|attached_export|recursive-resolution|urpf-exempt|default-route|interpose"
    "|path-mtu|lcp-rt(-dynamic)?|cnat|(det44|dslite|nat|nat44-ei|nat64|nat66)-(hi|low)|ila|lb"
    "|pppoe|svs"
)
"""FIB sources of VPP itself (``FIB_SOURCES``, ``fib_source.h``) and its plugins
(``fib_source_allocate``). All routes of our source count as ours, and VPP crashes on a route of
some of these."""


def source_name(value: object) -> str:
    """The name of a FIB source (``fib_source_add``: 64 bytes with the final zero)."""
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]{1,63}", value):
        raise ValueError("must be 1 to 63 printable ASCII characters without space")
    if VPP_SOURCE_NAMES.fullmatch(value):
        raise ValueError(
            "must not be a FIB source of VPP itself or a plugin, whose routes would count as ours"
        )
    return value


StrictInt = Annotated[int, Strict()]
StrictBool = Annotated[bool, Strict()]
OptionalRate = Annotated[int, Strict(), Field(ge=1, le=10_000_000)] | None
OptionalCount = Annotated[int, Strict(), Field(ge=1, le=1_000_000_000)] | None
Seconds = Annotated[
    float, Strict(), Field(ge=0, le=86400, allow_inf_nan=False), BeforeValidator(duration)
]
PositiveSeconds = Annotated[
    float, Strict(), Field(gt=0, le=3600, allow_inf_nan=False), BeforeValidator(duration)
]
Share = Annotated[float, Strict(), Field(ge=0, le=1, allow_inf_nan=False)]
Protocols = Annotated[tuple[int, ...], BeforeValidator(expanded)]
KernelTable = Annotated[int, BeforeValidator(kernel_table)]
Bytes = Annotated[int, BeforeValidator(byte_size), Field(ge=64 << 10, le=(1 << 30) - 1)]
VppTable = Annotated[int, Strict(), Field(ge=0, le=INDEX_INVALID - 1)]
LinuxInterface = Annotated[str, BeforeValidator(linux_interface)]
VppInterface = Annotated[str | int, BeforeValidator(vpp_interface)]
OptionalVppInterface = Annotated[str | int | None, BeforeValidator(optional_vpp_interface)]
PrefixRule = Annotated[str, BeforeValidator(prefix_rule)]
Namespace = Annotated[str | None, BeforeValidator(namespace)]
SocketPath = Annotated[str, BeforeValidator(socket_path)]
OptionalSocketPath = Annotated[str | None, BeforeValidator(optional_socket_path)]
OptionalDirectory = Annotated[str | None, BeforeValidator(optional_directory)]
FileMode = Annotated[str, BeforeValidator(file_mode)]
SourceName = Annotated[str, BeforeValidator(source_name)]
