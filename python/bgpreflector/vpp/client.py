"""A connected client of ``vpp_papi`` for any release of VPP.

It needs the description of VPP's API. VPP 24.06 and newer returns it (``get_api_json``); for
older releases it is read from files that VPP's packages install.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Protocol

from vpp_papi import VPPApiClient

from bgpreflector.errors import VppConnectError, VppMessageError

from .end_client import end_client

REQUIRED = (
    "show_version",
    "sw_interface_dump",
    "want_interface_events",
    "ip_table_dump",
    "ip_table_add_del",
    "ip_route_add_del",
    "fib_source_add",
    "fib_source_dump",
)
"""Required messages. VPP has all of them since 21.06."""


class ClientSettings(Protocol):
    """How to reach VPP."""

    @property
    def api_socket(self) -> str:
        """VPP's API socket."""

    @property
    def api_directory(self) -> str:
        """Directory of the API description files, for a VPP without ``get_api_json``."""

    @property
    def request_timeout(self) -> float:
        """Seconds without an answer after which VPP counts as lost."""


def connected_client(settings: ClientSettings, name: str) -> Any:
    """Return a client that is connected as ``name``.

    Raises :class:`VppConnectError`, and :class:`VppMessageError` with the names of the messages
    that VPP does not have.
    """
    client = _client(settings, bootstrapapi=True)
    if not _connect(client, settings, name, may_lack="get_api_json"):
        client = _client(settings, apifiles=_api_files(settings), bootstrapapi=False)
        _connect(client, settings, name)
    missing = [message for message in REQUIRED if not hasattr(client.api, message)]
    if missing:
        end_client(client, graceful=True)
        raise VppMessageError(
            f"the VPP at {settings.api_socket} is missing messages that bgpreflector needs "
            f"({', '.join(missing)}): VPP 22.10 and newer have them"
        )
    return client


def _client(settings: ClientSettings, **description: object) -> Any:
    return VPPApiClient(
        server_address=settings.api_socket,
        read_timeout=max(1, round(settings.request_timeout)),
        logger=logging.getLogger("vpp_papi"),
        **description,
    )


def _connect(client: Any, settings: ClientSettings, name: str, *, may_lack: str = "") -> bool:
    """Connect; return false if VPP does not have the optional message."""
    try:
        client.connect(name)
    except Exception as error:
        # vpp_papi passes on what struct, json or the socket raise for an answer that is not VPP's.
        missing = isinstance(error, AttributeError) and error.name == may_lack
        end_client(client, graceful=missing)
        if missing:
            return False
        raise VppConnectError(
            f"cannot connect to VPP's API socket {settings.api_socket}: "
            f"{error or type(error).__name__}; is it VPP that listens there?"
        ) from error
    return True


def _api_files(settings: ClientSettings) -> list[str]:
    directory = Path(settings.api_directory)
    files = sorted(map(str, directory.rglob("*.api.json")))
    if not files:
        raise VppConnectError(
            f"the VPP at {settings.api_socket} does not hand out the description of its API "
            f"(get_api_json, since VPP 24.06), and there is none in {directory}: have "
            "vpp.api_directory name the directory with the .api.json files of this VPP (its "
            "packages put them into /usr/share/vpp/api; copy them from there if VPP runs in a "
            "container), or use VPP 24.06 or newer"
        )
    return files
