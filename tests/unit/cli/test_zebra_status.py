"""The status of zebra before the daemon listens for it."""

from __future__ import annotations

from dataclasses import fields
from types import SimpleNamespace
from typing import Any, cast

from bgpreflector.cli import status
from bgpreflector.daemon.report import FpmStatus, StatusReport
from bgpreflector.doctor.fpm import connection_finding

VALUES: dict[str, Any] = dict.fromkeys(field.name for field in fields(FpmStatus))
NOT_YET = FpmStatus(**VALUES | {"results": {}, "results_queued": 0})


def test_a_listener_that_is_not_open_has_no_address() -> None:
    report = cast("StatusReport", SimpleNamespace(fpm=NOT_YET))
    assert status._unread(report) == "the listener for zebra is not open yet"
    assert status._zebra(report) == "not connected (not listening yet); results none, 0 queued"
    assert "does not listen for zebra yet" in str(connection_finding(NOT_YET))
