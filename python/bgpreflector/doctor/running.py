"""Check a running daemon."""

from __future__ import annotations

from collections.abc import Iterator

from bgpreflector.config import Config
from bgpreflector.daemon.read_report import AnswerError, read_report
from bgpreflector.errors import ControlError

from .client import daemon_client
from .finding import Finding, ok, warning
from .fpm import connection_finding

CHECK = "daemon"

MAX_NAMED = 5
"""The most prefixes in a finding."""


def daemon_findings(config: Config) -> Iterator[Finding]:
    """Check its status, if it answers."""
    if config.control.socket is None:
        return
    try:
        with daemon_client(config.control.socket) as client:
            answered = client.ask("status").end
    except ControlError as error:
        yield _unanswered(config.control.socket, error)
        return
    try:
        report = read_report(answered)
    except AnswerError:
        yield warning(
            CHECK,
            config.control.socket,
            f"the daemon is bgpreflector {answered.get('version')}, whose status this "
            "command cannot read",
            "restart the daemon, so that it is of the same version as the command",
        )
        return
    if report.fpm is not None:
        yield connection_finding(report.fpm)
    if report.hung is not None:
        yield warning(
            CHECK,
            "threads",
            report.hung,
            "restart the daemon, whose routes stay in VPP, and report its log",
        )
    if report.vpp.overridden:
        some = ", ".join(
            f"{o.prefix} by {o.source}" for o in report.vpp.overridden_prefixes[:MAX_NAMED]
        )
        yield warning(
            CHECK,
            "FIB sources",
            f"VPP forwards {report.vpp.overridden} of our prefixes by other routes, such as {some}",
            "remove those routes, or set vpp.fib_source.priority below theirs and restart VPP",
        )
    state = report.state.replace("_", " ")
    if report.ready:
        yield ok(CHECK, config.control.socket, f"a daemon runs, pid {report.pid}: {state}")
    else:
        yield warning(
            CHECK,
            config.control.socket,
            f"a daemon runs, pid {report.pid}, and is not ready: {state}",
            "see `bgpreflector status`, and the findings below",
        )


def _unanswered(path: str, error: ControlError) -> Finding:
    if isinstance(error.__cause__, FileNotFoundError | ConnectionRefusedError):
        return ok(CHECK, path, str(error))
    return warning(
        CHECK,
        path,
        str(error),
        "run the doctor as root or as the daemon's user; see the daemon's log",
    )
