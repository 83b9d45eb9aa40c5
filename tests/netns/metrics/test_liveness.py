"""What hangs is named; what takes long, but gets on, is left alone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bgpreflector.config import Config
from bgpreflector.controller import FullResync
from bgpreflector.daemon import systemd as notifier
from bgpreflector.daemon.daemon import Daemon
from bgpreflector.daemon.health import HangDetector, in_words
from lab import Namespace, wait_until
from lab.vpp import SimulatedVpp


class Time:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_gets_on_may_take_long() -> None:
    """Only standing still counts, and only with something to do."""
    time = Time()
    detector = HangDetector(60.0, time)
    for hour in range(5):
        time.now = hour * 3600.0
        assert in_words(detector.check(("resync", 0.0), hour)) is None
    time.now += 59.0
    assert in_words(detector.check(("resync", 0.0), 4)) is None
    time.now += 1.0
    said = in_words(detector.check(("resync", 0.0), 4))
    assert said is not None
    assert "'resync' for 14460 s" in said
    assert in_words(detector.check(("resync", 14460.0), 4)) is None, "another one"
    time.now += 3600
    assert in_words(detector.check(None, 4)) is None
    time.now += 3600
    assert in_words(detector.check(None, 4)) is None, "an idle thread does not hang"


def test_each_thread_is_checked_for_itself() -> None:
    """Progress of one thread does not hide that another hangs; an idle one does not hang."""
    time = Time()
    detector = HangDetector(60.0, time)

    def check(reader: tuple[bool, int], bulk: tuple[bool, int]) -> str | None:
        return in_words(detector.check(("resync", 0.0), 1, {"kernel reader": reader, "bulk": bulk}))

    assert check((True, 1), (False, 1)) is None
    time.now += 60
    said = check((True, 1), (False, 1))
    assert said is not None
    assert said.startswith("the kernel reader hangs: it has work")
    assert "; the event loop hangs: it has processed 'resync' for 60 s" in said
    assert "bulk" not in said
    said = check((True, 2), (True, 1))
    assert said is not None
    assert "kernel reader" not in said
    time.now += 59
    said = check((True, 2), (True, 1))
    assert said is not None
    assert "bulk" not in said, "it has had work only since the last check"


@pytest.mark.root
def test_an_event_loop_that_hangs_is_named(
    make_namespace: Callable[[str], Namespace], tmp_path: Path
) -> None:
    """A hung event loop is reported though all threads are alive."""
    kernel = make_namespace("hangs")
    with SimulatedVpp.running(tmp_path) as vpp:
        config = Config.model_validate(
            {
                "kernel": {"namespace": str(kernel.path)},
                "vpp": {"api_socket": str(vpp.socket)},
            }
        )
        daemon = Daemon(config)
        time = Time()
        daemon._hang_detector = HangDetector(60.0, time)
        daemon.start()
        try:
            wait_until(lambda: daemon.in_sync, 30, "in sync")
            wait_until(lambda: daemon.controller.current_event is None, 30, "idle")
            go_on, refresh = threading.Event(), daemon.sink.refresh_interfaces
            daemon.sink.refresh_interfaces = lambda: (go_on.wait(60), refresh())[1]  # type: ignore[method-assign]
            daemon.monitor._interfaces_changed()
            wait_until(lambda: daemon.controller.current_event, 30, "processing")
            assert daemon.hung is None
            time.now += 60.0
            assert daemon.hung is not None
            assert "VPP Interfaces Changed" in daemon.hung
            assert daemon.alive
            go_on.set()
            daemon.controller.push_event(FullResync("test", blocking=True))
            assert daemon.hung is None
        finally:
            daemon.stop()


def test_the_watchdog_survives_an_exception(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It keeps notifying the service manager."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setattr(notifier, "wanted_interval", lambda: 0.001)
        states: Iterator[object] = iter(["well", OSError("no descriptor is left"), "well again"])

        def state() -> str | None:
            said = next(states, None)
            if isinstance(said, Exception):
                raise said
            return None if said is None else str(said)

        watchdog = notifier.Watchdog(state)
        watchdog.start()
        said = [manager.recv(1000) for _ in range(3)]
        watchdog.close()
    assert said == [b"WATCHDOG=1\nSTATUS=well", b"WATCHDOG=1", b"WATCHDOG=1\nSTATUS=well again"]


def test_a_service_manager_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As in a container that has inherited the variable: a warning, and it goes on."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "none"))
    notifier.notify("READY=1")
    assert [record.message for record in caplog.records] == [
        "Cannot notify the service manager: [Errno 2] No such file or directory"
    ]


def test_each_thread_that_hangs_is_logged_once(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Also one that is found after another: it may be what that one waits for."""
    daemon = Daemon(Config.model_validate({"vpp": {"api_socket": str(tmp_path / "none")}}))
    loop, reader = {"event loop": "the event loop hangs"}, {"kernel reader": "the reader hangs"}
    found = iter([loop, loop, reader | loop, reader | loop, {}])
    daemon._hang_detector.check = lambda *_: next(found)  # type: ignore[method-assign]
    said = "the reader hangs; the event loop hangs"
    assert [daemon.hung for _ in range(5)] == [loop["event loop"]] * 2 + [said] * 2 + [None]
    messages = [record.getMessage().split("; where")[0] for record in caplog.records]
    assert messages == [loop["event loop"], said, "The thread that hung makes progress again"]
