"""All checks, in the order of the data flow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from bgpreflector import _core
from bgpreflector.config import Config
from bgpreflector.errors import KernelError, VppError
from bgpreflector.reflector import kernel_engine
from bgpreflector.vpp import FibProgrammer

from .configuration import configuration_findings
from .finding import Finding, error
from .fpm import fpm_findings, zebra_findings, zebra_routes
from .interfaces import interface_findings
from .kernel import kernel_findings
from .memory import memory_findings, missing_routes
from .resolved import resolved_findings
from .routes import KernelRoutes, read_routes, route_findings
from .running import daemon_findings
from .vpp import vpp_findings

SCHEMA = 1
"""Version of the JSON object; raised when a field changes its meaning or is removed."""


def check_up(config: Config) -> Iterator[Finding]:
    """Run all checks without changes: not even the FIB source is added to VPP."""
    yield from configuration_findings(config)
    yield from fpm_findings(config)
    yield from daemon_findings(config)
    # No time for stale routes here, and routes beyond the limit must be seen.
    alone = {"stale_routes_time": 0.0, "audit_interval": 0.0, "max_routes": None}
    kernel = config.kernel.model_copy(update=alone)
    engine = cast("_core.Engine", kernel_engine(config.model_copy(update={"kernel": kernel})))
    sink = FibProgrammer.of(engine, config, read_only=True)
    try:
        yield from _both_sides(config, engine, sink)
    finally:
        engine.close()
        sink.close()


def _both_sides(config: Config, engine: _core.Engine, sink: FibProgrammer) -> Iterator[Finding]:
    routes: KernelRoutes | None = None
    try:
        engine.start()
        if config.is_fpm:
            engine.resync()
            routes = zebra_routes(config)
            yield from kernel_findings(config, engine)
            yield from zebra_findings(routes)
        else:
            routes = read_routes(config, engine)
            yield from kernel_findings(config, engine)
            yield from route_findings(config, engine, routes)
    except KernelError as failure:
        yield error(
            "kernel",
            str(config.kernel.namespace_path or "this network namespace"),
            str(failure),
            "correct kernel.namespace (`ip netns list` shows those that there are), or run this "
            "as root: entering another namespace needs CAP_SYS_ADMIN",
        )
    try:
        yield from _vpp_side(config, engine, sink, routes)
    except VppError as failure:
        yield error(
            "vpp",
            config.vpp.api_socket,
            f"the connection was lost during the check: {failure}",
            "see that VPP is alive: `vppctl show version`, and its log",
        )


def _vpp_side(
    config: Config, engine: _core.Engine, sink: FibProgrammer, routes: KernelRoutes | None
) -> Iterator[Finding]:
    yield from vpp_findings(config, engine, sink)
    if not sink.session.connected:
        return
    yield from resolved_findings(config, engine, sink)
    pending = 0 if routes is None else routes.missing
    yield from memory_findings(pending if config.is_fpm else missing_routes(engine), sink)
    if routes is not None:
        yield from interface_findings(engine, sink, routes)
