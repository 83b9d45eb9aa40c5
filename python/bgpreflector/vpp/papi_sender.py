"""Send route requests through ``vpp_papi``, one at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Protocol

from bgpreflector import _core
from bgpreflector.controller import CommitResult, OperationFailure
from bgpreflector.controller.sink import MAX_FAILURES
from bgpreflector.errors import VppLostError
from bgpreflector.log_fields import fields

from .commit_results import refusal
from .papi_fallback import PapiRoutes
from .rate_limit import RateLimiter
from .session import VppSession

_log = logging.getLogger(__name__)


class OpensRequests(Protocol):
    """The part of :class:`bgpreflector._core.Engine` that sending uses."""

    def open_requests(self, batch: _core.RouteBatch) -> _core.RequestList: ...
    def held_count(self) -> int: ...


class PapiSender:
    """Sends batches if there is no bulk connection.

    One request is in flight at a time. If VPP exits, that one is the only suspect: a route that
    crashes VPP three times is held, as on the bulk connection.
    """

    def __init__(
        self,
        engine: OpensRequests,
        session: VppSession,
        *,
        rate_limit: int | None,
        paused: threading.Event,
    ) -> None:
        """``rate_limit`` is the most requests a second; while ``paused`` is set none is sent."""
        self._engine = engine
        self._session = session
        self._limiter = RateLimiter(rate_limit)
        self._paused = paused
        self.routes = PapiRoutes(session)

    def send(self, batches: Sequence[_core.RouteBatch], source: int) -> CommitResult:
        """Raises :class:`VppLostError`; what had no answer is dirty again then."""
        applied = failed = 0
        failures: list[OperationFailure] = []
        for batch in batches:
            requests = self._engine.open_requests(batch)
            try:
                for index in range(len(requests)):
                    if self._paused.is_set():
                        break
                    self._limiter.wait()
                    table, prefix, retval = self._send_one(requests, index, source)
                    if retval == 0:
                        applied += 1
                        continue
                    failed += 1
                    if len(failures) < MAX_FAILURES:
                        meaning, retriable = _core.retval_meaning(retval)
                        failures.append(refusal(prefix, table, meaning, retriable=retriable))
            finally:
                requests.release()
        return CommitResult(applied, failed, self._engine.held_count(), tuple(failures))

    def _send_one(
        self, requests: _core.RequestList, index: int, source: int
    ) -> tuple[int, str, int]:
        table, prefix, paths = requests.request(index)
        try:
            retval = self.routes.send(table, prefix, paths, source)
        except VppLostError:
            if self._vpp_exited() and requests.record_crash(index):
                _log.error(
                    "VPP exited three times while the route %s in VPP table %d had no answer, with "
                    "nothing else under way: it is held (crashed_vpp) until `bgpreflector release "
                    "%s` or until VPP has another version. For a report of the fault to VPP: %s",
                    prefix,
                    table,
                    prefix,
                    "{} {!r}".format(*self.routes.message(table, prefix, paths, source)),
                    extra=fields(
                        "route held", reason="crashed_vpp", prefix=prefix, vpp_table=table
                    ),
                )
            raise
        requests.answer(index, retval)
        return table, prefix, retval

    def _vpp_exited(self) -> bool:
        """Whether VPP has exited, rather than stopped answering."""
        try:
            self._session.probe()
        except TimeoutError:
            return False
        except OSError:
            return True
        # It answers on a new connection and not on the old one: it has restarted.
        return True
