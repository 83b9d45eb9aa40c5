"""The ``[metrics]`` section: Prometheus metrics and probes over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated

from pydantic import BeforeValidator, Field

from .section import Section

_EXAMPLE = 'must be an address and a port such as "127.0.0.1:19482" or "[::1]:19482"'
_HIGHEST = 65535


@dataclass(frozen=True)
class Address:
    """Where to listen."""

    host: IPv4Address | IPv6Address
    port: int
    """0 to 65,535; 0 for any that is free."""

    @property
    def is_ip6(self) -> bool:
        """Whether it is an IPv6 address."""
        return self.host.version == 6  # noqa: PLR2004 - the version's number

    def with_port(self, port: int) -> Address:
        """The same at another port."""
        return Address(self.host, port)

    def __str__(self) -> str:
        host = f"[{self.host}]" if self.is_ip6 else str(self.host)
        return f"{host}:{self.port}"


def parse_address(text: str) -> Address:
    """An address with its port. Raises ``ValueError``."""
    host, separator, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(_EXAMPLE)
    try:
        address = ip_address(host)
    except ValueError as error:
        raise ValueError(_EXAMPLE) from error
    if not separator or not port.isdecimal() or int(port) > _HIGHEST:
        raise ValueError(_EXAMPLE)
    return Address(address, int(port))


def _optional_address(value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError(_EXAMPLE)  # noqa: TRY004 - pydantic's validators raise ValueError
    return str(parse_address(value))


class MetricsConfig(Section):
    """Prometheus metrics, liveness and readiness over HTTP."""

    address: Annotated[str | None, BeforeValidator(_optional_address)] = Field(
        default=None,
        description='Listen address and port for metrics and probes, such as "127.0.0.1:19482"; '
        "empty (the default) for none. Anybody who can connect can read the metrics; they "
        "contain no route.",
    )

    @property
    def listen(self) -> Address | None:
        """The address taken apart."""
        return None if self.address is None else parse_address(self.address)
