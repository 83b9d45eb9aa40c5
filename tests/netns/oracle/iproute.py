"""`ip` in a namespace, as processes that live on: starting one costs more than an operation.

There is one for each family and one for both: some commands (``nexthop add … dev``, ``route
flush``) take the family from nowhere but `ip`'s own option. Those that show are others than those
that change: `ip` keeps the filter of a ``nexthop flush`` for the ``nexthop show`` after it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

Entry = dict[str, Any]
"""An object of `ip -json`."""


class IpError(RuntimeError):
    """An `ip` process has ended."""


class _Batch:
    """A running ``ip -batch -``."""

    def __init__(self, namespace: str, options: Sequence[str]) -> None:
        command = ["ip", "-n", namespace, *options, "-N", "-json", "-details", "-force"]
        self._process = subprocess.Popen(
            [*command, "-batch", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # What is refused fills no pipe there.
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(self, line: str) -> None:
        """Runs a line; what the kernel refuses changes nothing."""
        self._send(f"{line}\nlink show dev lo")
        while not self._line(line).startswith('[{"ifindex":1,'):
            pass

    def ask(self, line: str) -> list[Entry]:
        """The entries that a ``show`` command lists."""
        self._send(line)
        listed: list[Entry] = json.loads(
            self._line(line), object_pairs_hook=_without_encapsulations
        )
        return [entry for entry in listed if entry]

    def _send(self, text: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{text}\n")
        self._process.stdin.flush()

    def _line(self, asked: str) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise IpError(f"ip ended at: {asked}")
        return line

    def close(self) -> None:
        """Ends the process, which ends when its input does."""
        self._process.communicate()


def _without_encapsulations(pairs: Sequence[tuple[str, Any]]) -> Entry:
    """An object, of an encapsulation only its type: `ip` writes the rest among the route's own."""
    found: Entry = {}
    within = False
    for name, value in pairs:
        within = within and name not in ("gateway", "via", "dev", "nexthops")
        # An encapsulation's type of service is a number.
        if not within or (name == "tos" and isinstance(value, str)):
            found[name] = value
        within = within or name == "encap"
    return found


class Ip:
    """Changes and reads a namespace."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._batches: dict[tuple[str, str], _Batch] = {}

    def run(self, operation: str) -> None:
        """Runs an operation of `operations`; what the kernel refuses changes nothing."""
        for line in operation.split("; "):
            family, rest = (line[:2], line[3:]) if line.startswith("-") else ("", line)
            try:
                self._batch("change", family).run(rest)
            except IpError:
                # `ip` gives up at the first route of a flush that is gone already.
                if "flush" not in rest:
                    raise
                self.close()
        if "link del" in operation:
            # The processes remember the indices of names.
            self.close()

    def run_all(self, lines: Sequence[str]) -> None:
        """Runs many lines of one family at once."""
        if lines:
            self._batch("change", lines[0][:2]).run("\n".join(line[3:] for line in lines))

    def routes(self, family: int) -> list[Entry]:
        """The routes of all tables, in the kernel's order."""
        return self._batch("show", f"-{family}").ask("route show table all")

    def objects(self) -> list[Entry]:
        """All next-hop objects."""
        return self._batch("show", "").ask("nexthop show")

    def links(self) -> list[Entry]:
        """All links."""
        return self._batch("show", "").ask("link show")

    def _batch(self, purpose: str, family: str) -> _Batch:
        key = (purpose, family)
        if key not in self._batches:
            self._batches[key] = _Batch(self._namespace, [family] if family else [])
        return self._batches[key]

    def close(self) -> None:
        """Ends the processes; the next use starts others."""
        while self._batches:
            self._batches.popitem()[1].close()


@contextmanager
def running(namespace: str) -> Iterator[Ip]:
    """An `Ip` whose processes end with the block."""
    made = Ip(namespace)
    try:
        yield made
    finally:
        made.close()
