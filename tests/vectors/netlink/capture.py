"""Records what the kernel says over rtnetlink, beside what iproute2 shows at the same time.

    cd tests && sudo python3 -m vectors.netlink.capture

does what cases.toml lists, each case in a network namespace of its own that is removed afterwards,
and writes captures.jsonl: one object a line, with

- `case`: the name in cases.toml;
- `kind`: `notification` (multicast while `command` ran), `dump` or `reply`;
- `command`: what was being done;
- `hex`: the messages, in the machine's byte order (little-endian in the committed file);
- `expected`: for a notification what iproute2 showed `before` and did not `after`, and the other
  way round; for a dump all that iproute2 showed; for a reply the error number and the text.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from vectors.netlink.expected import State, difference, state

HERE = Path(__file__).parent
MODULE = "vectors.netlink.capture"

# linux/netlink.h, linux/rtnetlink.h
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP, NLM_F_CREATE = 0x1, 0x4, 0x300, 0x400
RTM_GETLINK, RTM_NEWROUTE, RTM_GETROUTE, RTM_GETNEXTHOP = 18, 24, 26, 106
RTA_DST, RTA_GATEWAY, RTA_TABLE, RTA_NH_ID = 1, 5, 15, 30
RTPROT_BIRD = 12
GROUPS = (1, 7, 11, 32)  # RTNLGRP_LINK, _IPV4_ROUTE, _IPV6_ROUTE, _NEXTHOP
SOL_NETLINK = 270
NETLINK_ADD_MEMBERSHIP, NETLINK_GET_STRICT_CHK = 1, 12
ACKNOWLEDGEMENT = {"NETLINK_CAP_ACK": 10, "NETLINK_EXT_ACK": 11}
# Carrier and next-hop removal are reported by the kernel's workers, so nothing marks their end.
QUIET_MS = 200


def netlink() -> socket.socket:
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    opened.bind((0, 0))
    return opened


def message(kind: int, flags: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, NLM_F_REQUEST | flags, 1, 0) + body


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value


def rtmsg(family: int, *, bits: int = 0, table: int = 0, protocol: int = 0, kind: int = 0) -> bytes:
    return struct.pack("=8BI", family, bits, 0, 0, table, protocol, 0, kind, 0)


def dump(request: bytes) -> bytes:
    received = b""
    with netlink() as opened:
        opened.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        opened.send(request)
        while True:
            received += opened.recv(65536)
            if NLMSG_DONE in kinds(received) or NLMSG_ERROR in kinds(received):
                return received


def kinds(messages: bytes) -> list[int]:
    found = []
    while len(messages) >= struct.calcsize("=IH"):
        length, kind = struct.unpack_from("=IH", messages)
        found.append(kind)
        messages = messages[(length + 3) & ~3 :]
    return found


class Recorder:
    """Records one case, in the namespace that this process is in."""

    def __init__(self, case: str) -> None:
        self._case = case
        self._notified = netlink()
        for group in GROUPS:
            self._notified.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)

    def step(self, command: str) -> None:
        before = state()
        run(command)
        heard = self._heard()
        after = state()
        expected = {"before": difference(before, after), "after": difference(after, before)}
        self._write("notification", command, heard, expected)

    def dumps(self, *, links: bool, all_protocols: bool) -> None:
        protocol = 0 if all_protocols else RTPROT_BIRD
        shown = state()
        nothing = State(routes=[], links=[], next_hops=[])
        for name, family in (("ipv4", socket.AF_INET), ("ipv6", socket.AF_INET6)):
            routes = [
                route
                for route in shown["routes"]
                if (":" in route["prefix"]) == (family == socket.AF_INET6)
                and (all_protocols or route["protocol"] == protocol)
            ]
            request = message(RTM_GETROUTE, NLM_F_DUMP, rtmsg(family, protocol=protocol))
            self._dump(f"{name} routes", request, {**nothing, "routes": routes})
        if shown["next_hops"] or all_protocols:
            request = message(RTM_GETNEXTHOP, NLM_F_DUMP, bytes(8))
            objects = State(routes=[], links=[], next_hops=shown["next_hops"])
            self._dump("next hops", request, objects)
        if links:
            request = message(RTM_GETLINK, NLM_F_DUMP, bytes(16))
            self._dump("links", request, {**nothing, "links": shown["links"]})

    def missing_table(self) -> None:
        table = attribute(RTA_TABLE, struct.pack("=I", 12345))
        request = message(RTM_GETROUTE, NLM_F_DUMP, rtmsg(socket.AF_INET) + table)
        nothing = State(routes=[], links=[], next_hops=[])
        self._dump("a table that does not exist", request, nothing, done=-2)

    def request(self, wanted: dict[str, Any]) -> None:
        body = rtmsg(socket.AF_INET, bits=24, table=254, protocol=RTPROT_BIRD, kind=1)
        body += attribute(RTA_DST, socket.inet_aton(wanted["destination"]))
        if "gateway" in wanted:
            body += attribute(RTA_GATEWAY, socket.inet_aton(wanted["gateway"]))
        if "nhid" in wanted:
            body += attribute(RTA_NH_ID, struct.pack("=I", wanted["nhid"]))
        with netlink() as opened:
            for option in wanted["options"]:
                opened.setsockopt(SOL_NETLINK, ACKNOWLEDGEMENT[option], 1)
            opened.send(message(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE, body))
            answer = opened.recv(65536)
        text = None
        if "command" in wanted and "NETLINK_EXT_ACK" in wanted["options"]:
            text = complaint(wanted["command"])
        expected = {"errno": -wanted["errno"], "text": text}
        self._write("reply", wanted["name"], answer, expected)

    def _heard(self) -> bytes:
        heard = b""
        poll = select.poll()
        poll.register(self._notified, select.POLLIN)
        while poll.poll(QUIET_MS):
            heard += self._notified.recv(65536)
        return heard

    def _dump(self, what: str, request: bytes, expected: State, done: int = 0) -> None:
        self._write("dump", what, dump(request), {**expected, "done": done})

    def _write(self, kind: str, command: str, messages: bytes, expected: object) -> None:
        row = {"case": self._case, "kind": kind, "command": command}
        sys.stdout.write(json.dumps({**row, "hex": messages.hex(), "expected": expected}) + "\n")


def run(command: str) -> None:
    if command.startswith("sysctl "):
        name, value = command.removeprefix("sysctl ").split("=")
        Path("/proc/sys", *name.split(".")).write_text(value, encoding="ascii")
        return
    subprocess.run(["ip", *command.split()], check=True)


def complaint(command: str) -> str:
    """The kernel's words, without what iproute2 puts around them."""
    tried = subprocess.run(["ip", *command.split()], check=False, capture_output=True, text=True)
    return tried.stderr.strip().removeprefix("Error: ").removesuffix(".")


def inside(number: int) -> None:
    listed = tomllib.loads((HERE / "cases.toml").read_text(encoding="utf-8"))
    for command in listed["setup"]:
        run(command)
    if number == len(listed["case"]):
        recorder = Recorder("replies")
        for wanted in listed["request"]:
            recorder.request(wanted)
        recorder.missing_table()
        return
    case = listed["case"][number]
    recorder = Recorder(case["name"])
    for command in case["steps"]:
        recorder.step(command)
    recorder.dumps(links=case.get("links", False), all_protocols=case.get("all_protocols", False))


def outside() -> None:
    listed = tomllib.loads((HERE / "cases.toml").read_text(encoding="utf-8"))
    rows = []
    for number in range(len(listed["case"]) + 1):
        namespace = f"bgpreflector-capture-{os.getpid()}-{number}"
        subprocess.run(["ip", "netns", "add", namespace], check=True)
        try:
            command = [sys.executable, "-m", MODULE, "--inside", str(number)]
            entered = ["ip", "netns", "exec", namespace, *command]
            rows.append(subprocess.run(entered, check=True, stdout=subprocess.PIPE).stdout)
        finally:
            subprocess.run(["ip", "netns", "del", namespace], check=True)
    (HERE / "captures.jsonl").write_bytes(b"".join(rows))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(int(sys.argv[2]))
    else:
        outside()
