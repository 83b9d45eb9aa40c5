"""A custom sink in VPP's place: the routes go into a dictionary, and every change is printed.

    python examples/table_sink.py NAMESPACE

reads the kernel of a network namespace as the daemon does. A program that feeds another forwarder
than VPP is built like this.
"""

from __future__ import annotations

import signal
import sys

from bgpreflector import Config, RouteOperation, RoutePath, RouteSink
from bgpreflector.controller import Controller, FullResync
from bgpreflector.reflector import new_plugin, use_config, use_sink


class TableSink(RouteSink):
    """Keeps the paths of each table and prefix."""

    def __init__(self) -> None:
        super().__init__()
        self.routes: dict[tuple[int, str], tuple[RoutePath, ...]] = {}

    def put_route(self, operation: RouteOperation) -> None:
        """A route with all its paths, in place of one that may be there."""
        self.routes[operation.table, str(operation.network)] = operation.paths
        print(operation, flush=True)

    def delete_route(self, operation: RouteOperation) -> None:
        """A prefix that is to have no route."""
        self.routes.pop((operation.table, str(operation.network)), None)
        print(operation, flush=True)


def main() -> None:
    """As the module says."""
    config = Config.model_validate({"kernel": {"namespace": sys.argv[1]}})
    sink = TableSink()
    reflector = new_plugin(use_config(config), use_sink(sink))
    controller = Controller([reflector], sink, config.controller)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit())
    controller.start()
    try:
        controller.push_event(FullResync("startup"))
        while not controller.wait(0.5):
            pass
    finally:
        controller.close()
        reflector.close()


if __name__ == "__main__":
    main()
