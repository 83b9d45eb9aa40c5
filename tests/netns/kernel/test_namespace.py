"""A namespace is more than its name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bgpreflector import _core
from lab import Namespace, wait_until
from lab.netns import run

from .following import LINK, desired, following, with_link

pytestmark = pytest.mark.root

TIMEOUT = 20.0
"""Seconds."""


def with_route(namespace: Namespace, number: int) -> None:
    """Adds the link, and 198.18.NUMBER.0/24 through it."""
    with_link(namespace)
    namespace.ip("route", "add", f"198.18.{number}.0/24", "via", "10.0.0.2", "proto", "12")


def lose_name(namespace: Namespace, engine: _core.Engine) -> None:
    """Deletes the name, and waits until the engine has noticed."""
    run("ip", "netns", "del", namespace.name)
    wait_until(
        lambda: not engine.status().synchronised, TIMEOUT, "it is noticed that the name is gone"
    )


def test_another_namespace_of_the_name_is_followed(
    make_namespace: Callable[[str], Namespace],
) -> None:
    """Without one of the name nothing is known; and then what the new one has counts."""
    namespace = make_namespace("reborn")
    with_route(namespace, 0)
    with following(namespace) as engine:
        assert set(desired(engine)) == {"198.18.0.0/24"}
        lose_name(namespace, engine)
        assert set(desired(engine)) == {"198.18.0.0/24"}
        run("ip", "netns", "add", namespace.name)
        with_route(namespace, 1)

        def followed() -> set[str]:
            return set(desired(engine))

        wait_until(
            followed, TIMEOUT, "the new one is read", accept=lambda s: s == {"198.18.1.0/24"}
        )
        wait_until(lambda: engine.status().synchronised, TIMEOUT, "all of it is read")
        namespace.ip("route", "add", "198.18.2.0/24", "dev", LINK, "proto", "12")
        both = {"198.18.1.0/24", "198.18.2.0/24"}
        wait_until(followed, TIMEOUT, "its changes are read", accept=lambda s: s == both)


def test_a_namespace_without_its_name_is_read(
    make_namespace: Callable[[str], Namespace],
) -> None:
    """It lives on, for its processes; a VPP that restarts meanwhile needs its routes again."""
    namespace = make_namespace("nameless")
    with_route(namespace, 0)
    with following(namespace) as engine:
        lose_name(namespace, engine)
        for _ in range(2):
            assert engine.resync().complete
        assert set(desired(engine)) == {"198.18.0.0/24"}
        assert not engine.status().synchronised, "another may get the name"
        run("ip", "netns", "add", namespace.name)


IDLE = """
import sys, time
from pathlib import Path
from bgpreflector import _core

def waits():
    for task in Path("/proc/self/task").iterdir():
        if (task / "comm").read_text() == "kernel-reader\\n":
            status = dict(line.split(":", 1) for line in (task / "status").read_text().splitlines())
            return int(status["voluntary_ctxt_switches"])

engine = _core.Engine(protocols=[12], tables={254: 0}, families=["ipv4"], foreign_routes="hide",
                      receive_buffer=1 << 20, namespace=sys.argv[1])
engine.start()
engine.resync()
before = waits()
time.sleep(float(sys.argv[2]))
print(waits() - before)
engine.close()
"""
"""Prints how often the kernel's reader wakes within so many seconds."""


ALONE = """
mount --bind "$1" "$2"
umount --lazy /run/netns
exec "$3" -c "$4" "$2" "$5"
"""
"""Where others' mounts are not seen: a file that is removed is unmounted in every namespace."""


def test_an_idle_reader_of_a_namespace_sleeps(
    make_namespace: Callable[[str], Namespace], tmp_path: Path
) -> None:
    """It waits for mounts instead of looking at the name again and again."""
    seconds, most = 8, 3
    own = tmp_path / "own"
    own.touch()
    arguments = [str(make_namespace("quiet").path), str(own), sys.executable, IDLE, str(seconds)]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-e", "-c", ALONE, "sh", *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(done.stdout) <= most, done.stdout


def test_a_namespace_that_moves_without_a_mount_is_followed(
    make_namespace: Callable[[str], Namespace], tmp_path: Path
) -> None:
    """A symbolic link for a name, as to ``/proc/PID/ns/net``, leads to another one in time."""
    first, second = make_namespace("first"), make_namespace("second")
    for number, namespace in enumerate((first, second)):
        with_route(namespace, number)
    link, other = tmp_path / "link", tmp_path / "other"
    link.symlink_to(first.path)
    other.symlink_to(second.path)
    with following(first, path=link) as engine:
        assert set(desired(engine)) == {"198.18.0.0/24"}
        other.rename(link)
        wait_until(
            lambda: set(desired(engine)),
            TIMEOUT,
            "the other one is read",
            accept=lambda seen: seen == {"198.18.1.0/24"},
        )
