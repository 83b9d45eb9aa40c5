"""Who waits for changes reads the kernel meanwhile, and misses nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bgpreflector import _core
from lab import Namespace, again_and_again, ip_batch, wait_until

from .following import following, with_link

pytestmark = pytest.mark.root

EPOLL = ("22", "232", "281", "441")
"""Numbers of epoll_wait and its like, of x86-64 and aarch64."""

ALL = 0xFFFFFFFF
TIMEOUT = 20.0


@pytest.fixture
def kernel(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """With one link."""
    namespace = make_namespace("waiting")
    with_link(namespace)
    return namespace


class Consumer(threading.Thread):
    """Takes the dirty prefixes, as VPP's driver would, and keeps their desired paths."""

    def __init__(self, engine: _core.Engine) -> None:
        super().__init__(daemon=True)
        self._engine = engine
        self.desired: dict[str, list[str]] = {}
        self.waits = 0

    def run(self) -> None:
        """Until the engine is closed."""
        while self._engine.wait_dirty(None):
            self.waits += 1
            batch = self._engine.take_batch(ALL)
            changes = list(batch.changes(ALL))
            requests = self._engine.open_requests(batch)
            for number in range(len(requests)):
                requests.answer(number, 0)
            requests.release()
            for change in changes:
                self.desired[change.prefix] = change.desired

    def polls_kernel(self) -> bool:
        """Whether it polls the kernel itself."""
        number, *_ = Path(f"/proc/self/task/{self.native_id}/syscall").read_text().split()
        return number in EPOLL


@contextmanager
def consuming(engine: _core.Engine) -> Iterator[Consumer]:
    """Beside whatever the test does."""
    consumer = Consumer(engine)
    consumer.start()
    try:
        yield consumer
    finally:
        engine.close()
        consumer.join(TIMEOUT)
        assert not consumer.is_alive()


def reader_wakeups() -> int:
    """How often this process's kernel reader has waited and gone on."""
    (task,) = (
        task
        for task in Path("/proc/self/task").iterdir()
        if (task / "comm").read_text().strip() == "kernel-reader"
    )
    lines = (task / "status").read_text().splitlines()
    (switches,) = (line.split()[1] for line in lines if line.startswith("voluntary_ctxt"))
    return int(switches)


def prefix_of(number: int) -> str:
    return f"11.{number >> 8}.{number & 255}.0/24"


def change(kernel: Namespace, number: int) -> str:
    """Adds a route; returns its prefix."""
    ip_batch(kernel, [f"route add {prefix_of(number)} via 10.0.0.2 proto 12"])
    return prefix_of(number)


def wait_for_change(kernel: Namespace, consumer: Consumer, number: int) -> None:
    """Adds a route, and waits until the consumer has it."""
    prefix = change(kernel, number)
    wait_until(lambda: prefix in consumer.desired, TIMEOUT, prefix)


def test_no_other_thread_wakes_up_for_a_change(kernel: Namespace) -> None:
    """Of the two that wait for the kernel, it wakes the one that has use for what is new."""
    with following(kernel) as engine, consuming(engine) as consumer:
        wait_until(consumer.polls_kernel, TIMEOUT, "it polls the kernel")
        before = reader_wakeups()
        for number in range(20):
            wait_for_change(kernel, consumer, number)
            wait_until(consumer.polls_kernel, TIMEOUT, "it polls the kernel again")
        assert consumer.waits >= 20
        assert reader_wakeups() == before


def test_nothing_is_missed_beside_resyncs(kernel: Namespace) -> None:
    """The kernel may wake the one who waits while the other reads, and then nobody else."""
    with following(kernel) as engine, consuming(engine) as consumer:

        def resync(_: int) -> None:
            engine.resync()

        with again_and_again(resync):
            for number in range(300):
                wait_for_change(kernel, consumer, number)
        assert set(consumer.desired) >= {prefix_of(number) for number in range(300)}


def test_what_a_change_leaves_to_do_is_done(kernel: Namespace) -> None:
    """A link that goes down takes IPv6 routes in silence: the reader's own thread dumps then."""
    prefix = "2001:db8:1::/48"
    with following(kernel) as engine, consuming(engine) as consumer:
        kernel.sysctl("ipv6/route/skip_notify_on_dev_down", 1)
        ip_batch(kernel, [f"route add {prefix} via fd00::2 proto 12"])
        wait_until(lambda: consumer.desired.get(prefix), TIMEOUT, "there")
        wait_until(consumer.polls_kernel, TIMEOUT, "it polls the kernel")
        kernel.ip("link", "set", "k0", "down")
        wait_until(lambda: consumer.desired.get(prefix) == [], TIMEOUT, "gone")
        wait_until(lambda: engine.status().resyncs["event"], TIMEOUT, "verified")


def test_a_storm_is_left_to_the_reader(kernel: Namespace) -> None:
    """And all of it is taken."""
    count = 20_000
    with following(kernel) as engine, consuming(engine) as consumer:
        lines = [f"route add {prefix_of(n)} via 10.0.0.2 proto 12" for n in range(count)]
        ip_batch(kernel, lines)
        wait_until(lambda: len(consumer.desired), 60, "all", accept=lambda seen: seen == count)
        # Quiet again, the next change ends the burst, and the one after it wakes nobody else.
        for number in range(count, count + 3):
            wait_for_change(kernel, consumer, number)
        wait_until(consumer.polls_kernel, TIMEOUT, "it polls the kernel")


def test_the_end_of_the_reading_ends_no_wait(kernel: Namespace) -> None:
    """VPP's routes become deletions, which wakes a waiter; later changes do not."""
    with following(kernel) as engine, consuming(engine) as consumer:
        prefix = change(kernel, 1)
        wait_until(lambda: consumer.desired.get(prefix), TIMEOUT, "there")
        wait_until(consumer.polls_kernel, TIMEOUT, "it polls the kernel")
        engine.forget_kernel()
        wait_until(lambda: consumer.desired.get(prefix) == [], TIMEOUT, "deleted")
        late = change(kernel, 2)
        assert engine.status().dirty == 0
        assert late not in consumer.desired


def test_a_wait_may_be_limited(kernel: Namespace) -> None:
    """And ends early for a change."""
    with following(kernel) as engine:
        assert engine.wait_dirty(0) is False
        assert engine.wait_dirty(0.05) is False
        change(kernel, 1)
        assert engine.wait_dirty(TIMEOUT) is True
        engine.take_batch(ALL).release()
        assert engine.wait_dirty(0) is True
