"""The page at ``/``, for who opens the address in a browser."""

from __future__ import annotations

import html
import socket
from collections.abc import Mapping
from importlib.metadata import version

TYPE = "text/html; charset=utf-8"

LINKS: Mapping[str, str] = {
    "/metrics": "metrics, for Prometheus",
    "/-/healthy": "whether its threads run and get on",
    "/-/ready": "whether VPP has the routes; if not, the state",
}
"""All that there is, and what it says."""

STYLE = "body{font-family:sans-serif;margin:2em;line-height:1.6}@media(prefers-color-scheme:dark)"
DARK = "{body{background:#111;color:#ddd}a{color:#8bf}}"


def page() -> str:
    """The page: whose it is, the version, and what there is to read."""
    host = html.escape(socket.gethostname())
    items = "".join(f'<li><a href="{path}">{path}</a>: {what}</li>' for path, what in LINKS.items())
    return (
        "<!doctype html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><title>bgpreflector on {host}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{STYLE}{DARK}</style></head>"
        f"<body><h1>bgpreflector {html.escape(version('bgpreflector'))}</h1>"
        f"<p>Reflects the routes of {host}'s kernel into VPP.</p><ul>{items}</ul></body></html>\n"
    )
