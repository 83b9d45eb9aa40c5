"""An engine that follows a namespace, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bgpreflector import _core
from lab import Namespace

LINK = "k0"
"""The link of the namespace, with 10.0.0.1/24 and fd00::1/64."""


def with_link(namespace: Namespace, name: str = LINK, number: int = 0) -> None:
    """Adds a link that is up, with an address of both families."""
    namespace.add_link(name, f"10.0.{number}.1/24", f"fd00:{number}::1/64")


@contextmanager
def following(
    namespace: Namespace,
    *,
    interfaces: tuple[str, ...] = (LINK,),
    prefix_rules: tuple[tuple[str, int, int, bool], ...] = (),
    stale_routes_time: float = 0.0,
    receive_buffer: int = 4 << 20,
    audit_interval: float = 0.0,
    path: Path | None = None,
) -> Iterator[_core.Engine]:
    """An engine that has read the namespace once and follows it; VPP knows ``interfaces``.

    ``path`` leads to the namespace in place of its own.
    """
    engine = _core.Engine(
        protocols=[12],
        tables={254: 0},
        families=["ipv4", "ipv6"],
        foreign_routes="hide",
        receive_buffer=receive_buffer,
        namespace=path or namespace.path,
        prefix_rules=prefix_rules,
        stale_routes_time=stale_routes_time,
        audit_interval=audit_interval,
    )
    try:
        engine.start()
        engine.resync()
        engine.set_interfaces({name: n for n, name in enumerate(interfaces, 1)}, None, False)
        yield engine
    finally:
        engine.close()


def desired(engine: _core.Engine) -> dict[str, list[str]]:
    """Desired paths by prefix."""
    batch = engine.take_batch(1 << 30)
    try:
        return {c.prefix: c.desired for c in batch.changes(1 << 30) if c.desired}
    finally:
        batch.release()
