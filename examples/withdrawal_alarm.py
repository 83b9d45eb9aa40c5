"""A custom event handler beside the reflector: an alarm when many prefixes go at once.

    python examples/withdrawal_alarm.py bgpreflector.toml 1000

runs what ``bgpreflector run`` runs, without its control socket and metrics, and says so whenever
one batch takes more than so many prefixes out of VPP.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bgpreflector import Daemon
from bgpreflector.config import load
from bgpreflector.controller import Event, Observer
from bgpreflector.reflector import BGPRouteBatchUpdate

SAMPLE = 3


class WithdrawalAlarm(Observer):
    """Calls ``alarm`` with the number of prefixes and some of them.

    The event loop calls it for every event that it says it handles, behind the reflector, and
    before anything is sent. What it raises would be logged and counted; the routes of the batch
    would still be sent, for route events are best effort.
    """

    def __init__(self, limit: int, alarm: Callable[[int, Sequence[str]], None]) -> None:
        self._limit = limit
        self._alarm = alarm

    def handles_event(self, event: Event) -> bool:
        """Batches of route changes, and nothing else: no resync either."""
        return isinstance(event, BGPRouteBatchUpdate)

    def observe(self, event: Event) -> str:
        """Looks at the batch; the figures cost nothing, a sample makes few Python objects."""
        if not isinstance(event, BGPRouteBatchUpdate) or event.batch.deletes <= self._limit:
            return ""
        gone = [str(change) for change in event.batch.changes(SAMPLE)]
        self._alarm(event.batch.deletes, gone)
        return f"{event.batch.deletes} withdrawals"


def main() -> None:
    """As the module says."""
    limit = int(sys.argv[2])

    def alarm(count: int, some: Sequence[str]) -> None:
        print(f"{count} prefixes go at once, such as {some[0]}", flush=True)

    daemon = Daemon(load(Path(sys.argv[1])), handlers=[WithdrawalAlarm(limit, alarm)])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit())
    try:
        daemon.start()
        # With a timeout, for a signal is seen by the main thread only when it wakes.
        while not daemon.wait(0.5):
            pass
    finally:
        daemon.stop()


if __name__ == "__main__":
    main()
