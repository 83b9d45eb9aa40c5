"""A sink of one's own in VPP's place: the routes go into a dictionary, and every change is printed.

    python examples/table_sink.py NAMESPACE

reads the kernel of a network namespace as the daemon does. A program that feeds another forwarder
than VPP is built like this.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import cast

from bgpreflector import _core
from bgpreflector.config import Config
from bgpreflector.controller import CommitResult, Controller, FullResync, Transaction
from bgpreflector.reflector import Deps, KernelRouteWatcher, kernel_engine, new_plugin, use_deps

ALL = 0xFFFFFFFF


class TableSink:
    """Keeps the gateways of each table and prefix.

    The event loop calls it. What a batch needs are *requests*: each is answered with 0 once it is
    done, or with a code other than 0 where it was refused, after which :meth:`retry` gets it again.
    """

    def __init__(self, engine: _core.Engine) -> None:
        self._engine = engine
        self.routes: dict[tuple[int, str], list[str]] = {}

    def resync(self) -> None:
        """Here all is as the engine knows it; VPP's sink would read VPP now."""
        # No interface of ours stands for one of the kernel's: a gateway is all that is wanted.
        self._engine.set_interfaces({}, None, recursive=True)

    def commit(self, txn: Transaction) -> CommitResult:
        """Does what the batches need."""
        return self._do([cast("_core.RouteBatch", batch) for batch in txn.batches])

    def retry(self) -> CommitResult:
        """Does what was refused, once more."""
        self._engine.retry_refused()
        return self._do([self._engine.take_batch(ALL)])

    def _do(self, batches: Sequence[_core.RouteBatch]) -> CommitResult:
        done = 0
        for batch in batches:
            requests = self._engine.open_requests(batch)
            try:
                for index in range(len(requests)):
                    self._one(*requests.request(index))
                    requests.answer(index, 0)
                    done += 1
            finally:
                # What has no answer, as after an exception, is dirty again.
                requests.release()
        return CommitResult(applied=done)

    def _one(self, table: int, prefix: str, paths: Sequence[tuple[object, ...]] | None) -> None:
        if paths is None:
            del self.routes[table, prefix]
            print(f"delete {prefix}", flush=True)
            return
        gateways = [str(gateway) for _, _, gateway, *_ in paths]
        self.routes[table, prefix] = gateways
        print(f"put {prefix} via {', '.join(gateways)}", flush=True)


def main() -> None:
    """As the module says."""
    config = Config.model_validate({"kernel": {"namespace": sys.argv[1]}})
    engine = cast("_core.Engine", kernel_engine(config))

    def inject(deps: Deps) -> None:
        deps.contiv_conf = config
        deps.watcher = lambda _: KernelRouteWatcher(engine)

    reflector = new_plugin(use_deps(inject))
    controller = Controller([reflector], TableSink(engine), config.controller)
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
