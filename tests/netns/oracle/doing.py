"""Does an operation in a world."""

from __future__ import annotations

import errno
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lab import again_and_again, wait_until
from lab.router_advertisement import advertise

from .iproute import running
from .more_operations import EXPIRE, MANY_LINES, RA, RECREATE, RESTART, STOP, many_lines
from .operations import COMMIT, QUIET, RESYNC
from .world import World

CHURN = "2001:dbc:"
"""How the prefixes begin that come and go beside everything else: nothing else is about them."""

SOON = 2
"""Seconds."""

PACE = 0.01
"""Seconds between a route that comes and one that goes."""

RTPROT_RA = "9"


def do(made: World, line: str) -> None:
    """Many operations are refused, as they must be: what counts is the kernel."""
    command = COMMANDS.get(line)
    if command is not None:
        command(made)
    elif line.startswith(RA):
        _advertise(made, *line.split()[1:])
    elif line.startswith(MANY_LINES):
        made.ip.run_all(many_lines(line))
    else:
        made.ip.run(line)


def _commit(made: World) -> None:
    made.settle(0)


def _resync(made: World) -> None:
    if made.is_running:
        made.engine.resync()


def _restart(made: World) -> None:
    made.stop()
    made.start(whole=False)


def _advertise(
    made: World,
    link: str,
    router: str,
    lifetime: str,
    preference: str,
    prefix: str | None = None,
    of_route: str = "medium",
) -> None:
    if not any(
        f"{link}p" == entry["ifname"] and "UP" in entry["flags"] for entry in made.ip.links()
    ):
        return
    routes = {prefix: of_route} if prefix else {}
    known = {
        str(route.get("pref"))
        for route in made.ip.routes(6)
        if (route["protocol"], route["dst"], route.get("dev")) == (RTPROT_RA, prefix, link)
    }
    try:
        advertise(made.namespace, f"{link}p", router, int(lifetime), preference, routes=routes)
    except OSError as error:
        # A link without a carrier drops the frame.
        if error.errno != errno.ENOBUFS:
            raise
    if known - {of_route}:
        # Advertised anew, it has another preference in place, and without a message.
        _resync(made)


def _await_expiry(made: World) -> None:
    wait_until(
        lambda: [r for r in made.ip.routes(6) if 0 <= int(r.get("expires", -1)) <= SOON],
        2 * SOON,
        "routes expire",
        accept=lambda left: not left,
    )


COMMANDS: dict[str, Callable[[World], None]] = {
    QUIET: lambda _: None,
    COMMIT: _commit,
    RESYNC: _resync,
    STOP: World.stop,
    RESTART: _restart,
    RECREATE: World.recreate_namespace,
    EXPIRE: _await_expiry,
}
"""What is not for `ip`, and says no more than one word."""


@contextmanager
def churning(made: World) -> Iterator[threading.Event]:
    """A hundred times a second an IPv6 route comes or goes."""
    changes = itertools.cycle(("add", "del"))
    turn = threading.Event()

    with running(made.namespace.name) as ip:

        def change(number: int) -> None:
            verb = next(changes)
            at = (number - 1) // 2 % 512
            ip.run(f"-6 route {verb} blackhole {CHURN}{at:x}::/48 proto 12")
            turn.wait(PACE)

        with again_and_again(change) as began:
            yield began
