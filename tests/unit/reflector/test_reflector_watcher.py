"""From a kernel to a southbound through the watcher, the reflector and the controller."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from bgpreflector.controller import (
    AbortEventError,
    Backoff,
    BatchNotConsumedError,
    FatalError,
    FullResync,
    Observer,
)
from bgpreflector.errors import KernelError
from bgpreflector.reflector import BGPRouteBatchUpdate
from reflector.reflector_support import TIMEOUT, Reflection, SignallingBackoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bgpreflector.controller import Event, EventHandler, Transaction
    from reflector.reflector_support import MakeReflection


@pytest.fixture
def make_reflection() -> Iterator[MakeReflection]:
    made: list[Reflection] = []

    def make(*handlers: EventHandler, **settings: object) -> Reflection:
        made.append(Reflection.make(*handlers, **settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for reflection in made:
        reflection.close()


@pytest.fixture
def reflection(make_reflection: MakeReflection) -> Reflection:
    """One that is started, with the defaults."""
    started = make_reflection()
    started.start()
    return started


def table(count: int, gateway: str) -> dict[str, str | None]:
    return {f"10.{i >> 8}.{i & 255}.0/24": gateway for i in range(count)}


def test_a_full_table_is_one_batch_of_the_startup_resync(
    make_reflection: MakeReflection,
) -> None:
    reflection = make_reflection(batch_limit=10)
    reflection.engine.kernel = {p: g for p, g in table(1000, "192.0.2.1").items() if g}
    reflection.start()
    assert reflection.engine.installed == reflection.engine.kernel
    assert reflection.engine.sizes == [1000]
    assert reflection.engine.calls == ["start", "resync"]


def test_changes_follow(reflection: Reflection) -> None:
    reflection.engine.change(table(300, "192.0.2.1"))
    reflection.southbound.wait_for_kernel()
    reflection.engine.change(table(200, "192.0.2.2"))
    reflection.southbound.wait_for_kernel()
    reflection.engine.change(dict.fromkeys(table(100, ""), None))
    reflection.southbound.wait_for_kernel()
    assert len(reflection.engine.installed) == 200


def test_many_changes_come_in_bounded_batches(make_reflection: MakeReflection) -> None:
    reflection = make_reflection(batch_limit=100)
    reflection.start()
    reflection.engine.change(table(250, "192.0.2.1"))
    reflection.southbound.wait_for_kernel()
    assert reflection.engine.sizes == [100, 100, 50]


def test_what_changes_while_a_batch_is_away_is_one_batch_more(reflection: Reflection) -> None:
    with reflection.southbound._changed:
        before = reflection.southbound.attempts
        reflection.engine.change({"10.0.0.0/8": "192.0.2.1"})
        for i in range(100):
            reflection.engine.change({"10.0.0.0/8": f"192.0.2.{i + 2}"})
    reflection.southbound.wait_for_kernel()
    assert reflection.southbound.attempts <= before + 2


def test_a_resync_finds_what_no_notification_announced(reflection: Reflection) -> None:
    reflection.engine.change({"10.0.0.0/8": "192.0.2.1", "10.1.0.0/16": "192.0.2.1"})
    reflection.southbound.wait_for_kernel()
    del reflection.engine.kernel["10.1.0.0/16"]
    reflection.controller.push_event(FullResync("operator", blocking=True))
    assert reflection.engine.installed == {"10.0.0.0/8": "192.0.2.1"}


def test_a_failed_batch_is_requeued_and_healed(make_reflection: MakeReflection) -> None:
    reflection = make_reflection(pause=Backoff(3600))
    reflection.start()
    reflection.southbound.down = ConnectionError("gone")
    reflection.engine.change({"10.0.0.0/8": "192.0.2.1"})
    reflection.southbound.wait_for(lambda: reflection.southbound.attempts > 1)
    reflection.southbound.down = None
    reflection.southbound.wait_for_kernel()
    reflection.engine.change({"10.0.0.0/8": "192.0.2.2"})
    reflection.southbound.wait_for_kernel()


def test_without_a_resync_the_watcher_tries_again_after_its_pause(
    make_reflection: MakeReflection,
) -> None:
    reflection = make_reflection(healing_delay=3600, pause=Backoff(0.001))
    reflection.start()
    reflection.southbound.down = ConnectionError("gone")
    reflection.engine.change({"10.0.0.0/8": "192.0.2.1"})
    reflection.southbound.wait_for(lambda: reflection.southbound.attempts > 3)
    reflection.southbound.down = None
    reflection.southbound.wait_for_kernel()


def test_refused_routes_do_not_hold_up_the_others(make_reflection: MakeReflection) -> None:
    reflection = make_reflection(healing_delay=3600, pause=Backoff(3600))
    reflection.start()
    reflection.southbound.refuse = {"10.0.0.0/8"}
    reflection.engine.change({"10.0.0.0/8": "192.0.2.1"})
    reflection.southbound.wait_for(lambda: reflection.southbound.attempts == 2)
    reflection.engine.change({"10.1.0.0/16": "192.0.2.1"})
    reflection.southbound.wait_for(lambda: "10.1.0.0/16" in reflection.engine.installed)


def test_an_engine_that_dies_ends_the_loop_with_its_reason(reflection: Reflection) -> None:
    reflection.engine.fail("netlink socket: connection reset")
    with pytest.raises(FatalError, match="netlink socket: connection reset") as caught:
        reflection.controller.wait(TIMEOUT)
    assert isinstance(caught.value.original, KernelError)


def test_a_dump_that_fails_is_fatal(make_reflection: MakeReflection) -> None:
    reflection = make_reflection()
    reflection.engine.resync_error = KernelError("the dump was refused")
    with pytest.raises(FatalError, match="the dump was refused"):
        reflection.start()


def test_a_dump_that_fails_later_is_repeated(reflection: Reflection) -> None:
    reflection.engine.resync_error = KernelError("no buffer space")
    with pytest.raises(AbortEventError, match="no buffer space"):
        reflection.controller.push_event(FullResync("operator", blocking=True))
    reflection.engine.resync_error = None
    reflection.engine.change({"10.0.0.0/8": "192.0.2.1"})
    reflection.southbound.wait_for_kernel()
    assert not reflection.controller.ended


def test_closing_ends_the_thread_and_twice_is_fine(reflection: Reflection) -> None:
    reflection.plugin.close()
    reflection.plugin.close()
    assert "route-watcher" not in [thread.name for thread in threading.enumerate()]
    assert reflection.engine.calls[-1] == "close"
    reflection.controller.push_event(FullResync("still there"))


def test_a_pausing_watcher_can_be_closed(make_reflection: MakeReflection) -> None:
    reflection = make_reflection(healing_delay=3600, pause=Backoff(3600))
    reflection.start()
    reflection.southbound.down = ConnectionError("gone")
    reflection.engine.change({"10.0.0.0/8": "192.0.2.1"})
    reflection.southbound.wait_for(lambda: reflection.southbound.attempts == 2)
    reflection.plugin.close()
    assert "route-watcher" not in [thread.name for thread in threading.enumerate()]


def ignore(txn: Transaction) -> None:
    pass


def release(txn: Transaction) -> None:
    for batch in txn.batches:
        assert len(list(batch.changes(1))) == 1
        batch.release()


@pytest.mark.parametrize("instead_of_commit", [ignore, release])
def test_a_southbound_that_takes_no_batch_is_not_asked_without_end(
    make_reflection: MakeReflection,
    caplog: pytest.LogCaptureFixture,
    instead_of_commit: Callable[[Transaction], None],
) -> None:
    pause = SignallingBackoff()
    reflection = make_reflection(healing_delay=0.0, pause=pause)
    reflection.southbound.instead_of_commit = instead_of_commit
    reflection.engine.kernel = {"10.0.0.0/8": "192.0.2.1", "10.1.0.0/16": "192.0.2.1"}
    with pytest.raises(BatchNotConsumedError, match=r"MemorySouthbound .* 2 route changes"):
        reflection.start()
    assert pause.paused.wait(TIMEOUT)
    # The resync's, and the watcher's, after which the pause begins.
    assert reflection.southbound.attempts == 2
    logged = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.name for record in logged] == ["bgpreflector.controller.dispatcher"]
    reflection.southbound.instead_of_commit = None
    reflection.controller.push_event(FullResync("operator", blocking=True))
    reflection.southbound.wait_for_kernel()


def test_a_handler_that_fails_does_not_hold_the_routes_up(make_reflection: MakeReflection) -> None:
    class Failing(Observer):
        def handles_event(self, event: Event) -> bool:
            return isinstance(event, BGPRouteBatchUpdate)

        def observe(self, event: Event) -> str:
            raise ValueError("no")

    reflection = make_reflection(Failing(), healing_delay=0.0, pause=Backoff(3600))
    reflection.start()
    for gateway in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        reflection.engine.change({"10.0.0.0/8": gateway})
        reflection.southbound.wait_for_kernel()
    assert reflection.controller.handler_errors["Failing"] >= 2
    assert reflection.engine.calls == ["start", "resync"]
