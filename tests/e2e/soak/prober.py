"""Somebody who asks a daemon all the time, and holds it to its word."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bgpreflector.control import ControlClient
from bgpreflector.errors import RefusedByDaemonError
from daemon.running import RunningDaemon
from daemon.test_metrics import Scraper

TIMEOUT = 60.0
"""Seconds after which a request counts as not answered."""

PAUSE = 0.02


class Prober:
    """Its requests go on until the end; what fails is raised there."""

    def __init__(self, daemon: RunningDaemon, scraper: Scraper) -> None:
        self._daemon = daemon
        self._scraper = scraper
        self._random = random.Random(0)
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self.answered: Counter[str] = Counter()
        self.slowest = 0.0
        """Seconds."""

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Raises what went wrong meanwhile."""
        thread = threading.Thread(target=self._run, name="prober")
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()
        if self._failure is not None:
            raise self._failure

    def check(self) -> None:
        """Raises what has gone wrong so far."""
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            while not self._ended.wait(PAUSE):
                name = self._random.choice(sorted(QUESTIONS))
                began = time.monotonic()
                QUESTIONS[name](self)
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.answered[name] += 1
        except BaseException as error:  # noqa: BLE001 - raised again by who waits
            self._failure = error

    def _ask(self, command: str, **arguments: object) -> tuple[list[Any], Any]:
        with ControlClient(self._daemon.control, timeout=TIMEOUT) as client:
            answer = client.ask(command, **arguments)
            rows = list(answer)
            return rows, answer.end

    def status(self) -> None:
        """Figures that do not contradict each other."""
        _, end = self._ask("status")
        sound(end)

    def routes(self) -> None:
        """As many as are said to come, each once."""
        states = [self._random.choice(["installed", "queued", "held", "rejected"])]
        rows, end = self._ask("routes", states=states)
        assert len(rows) == end["count"]
        assert {row["state"] for row in rows} <= set(states)

    def route(self) -> None:
        """A reason for each answer, whatever happens to VPP meanwhile."""
        address = f"30.0.{self._random.randrange(256)}.1"
        try:
            _, end = self._ask("route", address=address)
        except RefusedByDaemonError as error:
            # A reload has put another daemon in the place of the one that was asked.
            if error.code not in {"kernel", "vpp", "failed"}:
                raise
            return
        assert end["why"], end

    def listings(self) -> None:
        """Checks the listings with few rows."""
        for command in ("next_hops", "interfaces", "changes"):
            rows, end = self._ask(command)
            assert len(rows) == end["count"]

    def metrics(self) -> None:
        """All there, and the probes."""
        values = self._scraper.values()
        assert values["bgpreflector_in_sync", frozenset()] in {0, 1}
        assert self._scraper.get("/-/healthy")[0] == 200
        assert self._scraper.get("/-/ready")[0] in {200, 503}


QUESTIONS: dict[str, Callable[[Prober], None]] = {
    "status": Prober.status,
    "routes": Prober.routes,
    "route": Prober.route,
    "listings": Prober.listings,
    "metrics": Prober.metrics,
}


def sound(status: dict[str, Any]) -> None:
    """What holds in every state: `status --json` never contradicts itself."""
    by_family: Counter[tuple[str, str]] = Counter()
    for table in status["tables"]:
        for state, count in table["prefixes"].items():
            assert count >= 0, status
            by_family[table["family"], state] += count
    for family, counts in status["prefixes"].items():
        for state, count in counts.items():
            assert by_family[family, state] == count, status
        assert counts["desired"] + counts["held"] <= counts["kernel"], status
    differ = any(c["desired"] != c["installed"] for c in status["prefixes"].values())
    if status["in_sync"]:
        assert status["state"] == "in_sync", status
        assert status["ready"], status
        assert status["dirty"] == 0, status
        assert not differ, status
        assert status["vpp"]["connected"], status
        assert status["kernel"]["synchronised"], status
    assert status["ready"] or status["state"] != "in_sync"
    assert status["paused"] or status["state"] != "paused"
