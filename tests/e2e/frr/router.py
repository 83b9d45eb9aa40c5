"""FRR between two links to a BIRD, and what the kernel looks up there."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Any

from lab import Bird, BirdConfig, Namespace, Session, connect, namespace, prefixes, running_bird
from lab.frr import Frr, running_frr
from lab.vpp import Routes

LINKS = ("link0", "link1")
PEER, ROUTER = 1, 2
"""Host numbers on both links."""

ENDS = {"Invalid argument": "drop", "No route to host": "icmp-unreach"}
"""What the kernel answers with for a route that forwards nothing, and the path of VPP for it."""

NO_ROUTE = "Network is unreachable"
FAILED = re.compile(r"(?:RTNETLINK answers|Error): (?P<why>.*)\nCommand failed -:(?P<line>\d+)")


@dataclass
class Routers:
    """The router runs FRR; the peer's BIRD announces to it over each link, in both families."""

    peer: Bird
    frr: Frr

    @property
    def namespace(self) -> Namespace:
        """The router's."""
        return self.frr.namespace

    def announce(self, count: int) -> None:
        """Announces ``count`` prefixes of each family over both links and withdraws all others."""
        routes = {address(4, 0, 9): prefixes(4, count), address(6, 0, 9): prefixes(6, count)}
        self.peer.configure(replace(self.peer.config, routes=routes))


@contextmanager
def running_routers(*zebra_options: str) -> Iterator[Routers]:
    """Both, with established sessions and nothing announced."""
    with namespace("peer") as peer, namespace("frr") as router:
        for number, link in enumerate(LINKS):
            connect(peer, router, link, _addresses(number, PEER), _addresses(number, ROUTER))
        config = BirdConfig(address(4, 0, PEER), _sessions(PEER, ROUTER))
        with (
            running_bird(peer, config) as bird,
            running_frr(
                router, address(4, 0, ROUTER), _sessions(ROUTER, PEER), *zebra_options
            ) as frr,
        ):
            frr.wait_established()
            yield Routers(bird, frr)


def address(family: int, link: int, host: int) -> str:
    """The address of a host on a link."""
    return f"192.168.{100 + link}.{host}" if family == 4 else f"fd00:{100 + link}::{host}"


def looked_up(kernel: Namespace, wanted: Sequence[str], *, table: int | None = None) -> Routes:
    """What the kernel forwards the first host of each prefix by, in VPP's words.

    It is asked for each (``ip route get … fibmatch``); what a shorter prefix, or nothing, answers
    for is left out: here nothing is announced that covers another. With ``table`` that table is
    asked, by a rule for marked packets, otherwise all of them.
    """
    found: Routes = {}
    for family in (4, 6):
        some = [p for p in wanted if (":" in p) == (family == 6)]
        if some:
            found |= _looked_up(kernel, some, family, table)
    return found


def _looked_up(kernel: Namespace, some: Sequence[str], family: int, table: int | None) -> Routes:
    mark = "" if table is None else f" mark {table}"
    lines = [f"route get fibmatch {ip_network(prefix)[1]}{mark}" for prefix in some]
    done = subprocess.run(
        ["ip", f"-{family}", "-netns", kernel.name, "-json", "-force", "-batch", "-"],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    failed = {int(m["line"]) - 1: m["why"].rstrip(".") for m in FAILED.finditer(done.stderr)}
    answers = [answer for line in done.stdout.splitlines() if line for answer in json.loads(line)]
    found: Routes = {some[number]: ENDS[why] for number, why in failed.items() if why != NO_ROUTE}
    answered = [prefix for number, prefix in enumerate(some) if number not in failed]
    if len(answers) != len(answered):
        raise RuntimeError(f"{len(some)} asked, {len(answers)} answered: {done.stderr[-2000:]}")
    for prefix, answer in zip(answered, answers, strict=True):
        # IPv6 names any route of the next-hop object that the right one has: what it has looked up
        # for one route is kept with the object (`rt_pcpu` of net/ipv6/route.c).
        if answer["dst"] == prefix or (family == 6 and "nhid" in answer):
            hops = answer.get("nexthops", [answer])
            found[prefix] = frozenset(_gateway(hop) for hop in hops)
    return found


def _gateway(hop: Mapping[str, Any]) -> str:
    via = hop.get("via")
    return str(via["host"]) if via else str(hop.get("gateway", ""))


def _sessions(local: int, neighbour: int) -> list[Session]:
    return [
        Session(
            address(family, link, local),
            address(family, link, neighbour),
            65000 + local,
            65000 + neighbour,
            next_hop_self=True,
        )
        for family in (4, 6)
        for link in range(len(LINKS))
    ]


def _addresses(link: int, host: int) -> list[str]:
    return [f"{address(4, link, host)}/24", f"{address(6, link, host)}/64"]
