"""The commands that a daemon serves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Self, TypeVar, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyAddress,
    IPvAnyNetwork,
    StrictBool,
    StrictInt,
    StringConstraints,
    ValidationError,
    model_validator,
)

from bgpreflector.config import ConfigError
from bgpreflector.controller import OperationsFailedError
from bgpreflector.daemon.status import status_of
from bgpreflector.routes.address import without_zone

from .changes import change_rows
from .explain import IPAddress, explain, explain_prefix
from .interfaces import interface_rows, vpp_interface_rows
from .label_routes import label_route_pages
from .lines import Row
from .next_hops import next_hop_pages
from .protocol import Answering, Handler, RefusedError, problems
from .routes import STATES, RouteSelection, route_pages, routes_to
from .summary import route_summary

if TYPE_CHECKING:
    from bgpreflector._core import VppAuditReport
    from bgpreflector.daemon.daemon import Daemon
    from bgpreflector.daemon.supervisor import Supervisor

SCHEMA = 3
"""Version of the rows and ends of all commands but ``status``, which has its own."""

AUDIT_TIMEOUT = 60.0
"""Seconds to wait for an audit, which queues behind other events."""

READ_ONLY = frozenset(
    {
        "status",
        "routes",
        "routes_summary",
        "route",
        "next_hops",
        "interfaces",
        "vpp_interfaces",
        "label_routes",
        "changes",
    }
)
"""Commands that change nothing, in the daemon or in VPP."""

A = TypeVar("A", bound=BaseModel)

Name = Annotated[str, StringConstraints(max_length=64)]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SummaryArguments(_Arguments):
    """Which routes to count."""

    within: Name | None = None
    """Only this prefix and those within it."""

    states: list[Name] = Field(default_factory=list, max_length=len(STATES))
    """Only those in one of these states; empty for all but foreign ones and those behind others."""

    next_hop: IPvAnyAddress | None = None
    """Only those with this gateway."""

    interface: Name | None = None
    """Only those out of this interface of the kernel."""

    every: StrictBool = False
    """Foreign ones and those behind others too."""

    def selection(self) -> RouteSelection:
        """As the listing takes it."""
        return RouteSelection(self.states, self.within, self.next_hop, self.interface, self.every)


class RoutesArguments(SummaryArguments):
    """Which routes."""

    prefix: Name | None = None
    """Only those of this prefix, or of the longest one that this address is in."""


class NextHopsArguments(_Arguments):
    """Which sets of next hops."""

    every: StrictBool = False
    """Those that only routes have that are not mirrored, too."""


class AddressArguments(_Arguments):
    """An address, or a prefix."""

    address: Annotated[IPvAnyAddress, AfterValidator(without_zone)] | None = None
    prefix: IPvAnyNetwork | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.address is None) == (self.prefix is None):
            raise ValueError("give an address or a prefix")
        return self


class ReleaseArguments(_Arguments):
    """Which routes held as ``crashed_vpp``."""

    prefix: Name | None = None
    """This prefix; by default all."""


class SinceArguments(_Arguments):
    """The number of the last change that the client knows."""

    since: StrictInt = Field(default=0, ge=0, lt=1 << 64)


def commands_of(service: Supervisor) -> dict[str, Handler]:
    """The commands by name."""
    commands = _Commands(service)
    return {
        "status": _command(_Arguments, commands.status),
        "routes": _command(RoutesArguments, commands.routes),
        "route": _command(AddressArguments, commands.route),
        "routes_summary": _command(SummaryArguments, commands.routes_summary),
        "next_hops": _command(NextHopsArguments, commands.next_hops),
        "interfaces": _command(_Arguments, commands.interfaces),
        "vpp_interfaces": _command(_Arguments, commands.vpp_interfaces),
        "label_routes": _command(_Arguments, commands.label_routes),
        "changes": _command(SinceArguments, commands.changes),
        "resync": _command(_Arguments, commands.resync),
        "repair": _command(_Arguments, commands.repair),
        "pause": _command(_Arguments, commands.pause),
        "resume": _command(_Arguments, commands.resume),
        "release": _command(ReleaseArguments, commands.release),
        "reload": _command(_Arguments, commands.reload),
    }


class _Commands:
    def __init__(self, service: Supervisor) -> None:
        self._service = service

    @property
    def _daemon(self) -> Daemon:
        return self._service.daemon

    def status(self, _: _Arguments) -> Answering:
        yield ()
        return status_of(self._daemon).as_object()

    def routes(self, arguments: RoutesArguments) -> Answering:
        if arguments.prefix is not None:
            return (yield from _listing([routes_to(self._daemon, arguments.prefix)]))
        return (yield from _listing(route_pages(self._daemon, arguments.selection())))

    def routes_summary(self, arguments: SummaryArguments) -> Answering:
        yield ()
        return {"schema": SCHEMA, **route_summary(self._daemon, arguments.selection())}

    def route(self, arguments: AddressArguments) -> Answering:
        yield ()
        if arguments.prefix is not None:
            return {"schema": SCHEMA, **explain_prefix(self._daemon, arguments.prefix)}
        return {"schema": SCHEMA, **explain(self._daemon, cast("IPAddress", arguments.address))}

    def next_hops(self, arguments: NextHopsArguments) -> Answering:
        return (yield from _listing(next_hop_pages(self._daemon, every=arguments.every)))

    def interfaces(self, _: _Arguments) -> Answering:
        return (yield from _listing([interface_rows(self._daemon)]))

    def vpp_interfaces(self, _: _Arguments) -> Answering:
        return (yield from _listing([vpp_interface_rows(self._daemon)]))

    def label_routes(self, _: _Arguments) -> Answering:
        return (yield from _listing(label_route_pages(self._daemon)))

    def changes(self, arguments: SinceArguments) -> Answering:
        return (yield from _listing([change_rows(self._daemon, arguments.since)]))

    def resync(self, _: _Arguments) -> Answering:
        yield ()
        self._resync("operator")
        return self._summary()

    def _resync(self, reason: str) -> None:
        try:
            self._daemon.resync(reason)
        except OperationsFailedError as error:
            raise RefusedError("vpp", str(error)) from error
        except Exception as error:
            done = "; ".join(getattr(error, "__notes__", ()))
            if not done:
                raise
            message = f"{done}: {type(error).__name__}: {error}; the daemon's log has more"
            raise RefusedError("failed", message) from error

    def repair(self, _: _Arguments) -> Answering:
        """Audit VPP, resync, and audit again."""
        yield ()
        found = self._audit()
        if found is not None:
            yield [
                {"vpp_table": table, "prefix": prefix, "kind": kind}
                for table, prefix, kind in found.drifted
            ]
        self._resync("repair")
        left = self._audit()
        return {
            **self._summary(),
            "found": None if found is None else found.drift,
            "left": None if left is None else _repairable(left),
        }

    def _audit(self) -> VppAuditReport | None:
        try:
            return self._daemon.audit(AUDIT_TIMEOUT)
        except TimeoutError as error:
            raise RefusedError("busy", "the daemon is busy: try again later") from error

    def pause(self, _: _Arguments) -> Answering:
        yield ()
        self._daemon.pause()
        return self._summary()

    def resume(self, _: _Arguments) -> Answering:
        yield ()
        try:
            self._service.resume()
        except OperationsFailedError as error:
            raise RefusedError("vpp", str(error)) from error
        return self._summary()

    def release(self, arguments: ReleaseArguments) -> Answering:
        yield ()
        try:
            released = self._daemon.engine.release(arguments.prefix)
        except ValueError as error:
            raise RefusedError("arguments", str(error)) from error
        return {**self._summary(), "released": released}

    def reload(self, _: _Arguments) -> Answering:
        yield ()
        try:
            changed = self._service.reload()
        except ConfigError as error:
            raise RefusedError("config", str(error)) from error
        return {**self._summary(), "changed": changed}

    def _summary(self) -> dict[str, object]:
        report = status_of(self._daemon)
        return {
            "schema": SCHEMA,
            "state": report.state,
            "prefixes": report.prefixes,
            "dirty": report.dirty,
        }


def _repairable(audit: VppAuditReport) -> dict[str, int]:
    """Differences that a resync repairs, which excludes overridden prefixes."""
    return {kind: count for kind, count in audit.drift.items() if kind != "overridden"}


def _command(model: type[A], serve: Callable[[A], Answering]) -> Handler:
    """A handler that validates a command's arguments first."""

    def handler(arguments: Mapping[str, object]) -> Answering:
        try:
            checked = model.model_validate(arguments)
        except ValidationError as error:
            raise RefusedError("arguments", problems(error)) from error
        return serve(checked)

    return handler


def _listing(pages: Iterable[Sequence[Row]]) -> Answering:
    count = 0
    for page in pages:
        count += len(page)
        yield page
    return {"schema": SCHEMA, "count": count}
