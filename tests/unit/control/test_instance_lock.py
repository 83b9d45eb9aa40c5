"""The lock of who writes to a VPP: where it cannot be had, and what is said of who has it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bgpreflector.config import Config, loads
from bgpreflector.daemon.instance_lock import lock_path, writing
from bgpreflector.errors import WriterError

TODO = "end it first"
NOBODY = 65534

OTHER_USER = """
import os, sys
from bgpreflector.config import loads
from bgpreflector.daemon.instance_lock import writing
from bgpreflector.errors import WriterError
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
try:
    with writing(loads(sys.argv[1]), "flush", "defaults", "nothing"):
        print("written")
except WriterError as error:
    print(error)
"""
"""Becomes another user only then: that one need not be able to read these files."""


def settings(directory: Path) -> str:
    """A configuration whose locks are there."""
    return f'[control]\nlock_directory = "{directory}"\n'


@contextmanager
def held(config: Config, description: bytes) -> Iterator[None]:
    """Another process's lock, which is the kernel's, and what it has written into it so far."""
    path = lock_path(config)
    assert path is not None
    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(number, fcntl.LOCK_EX)
    os.write(number, description)
    try:
        yield
    finally:
        os.close(number)


@pytest.mark.parametrize("description", [b"", b'{"pid": 1', b"[]", b'{"pid": 1}'])
def test_a_holder_that_does_not_tell_who_it_is(tmp_path: Path, description: bytes) -> None:
    """As it has just begun, or is another version."""
    config = loads(settings(tmp_path))
    with (
        held(config, description),
        pytest.raises(
            WriterError, match=r"^another bgpreflector writes to VPP at .*: end it first"
        ),
        writing(config, "run", "defaults", TODO),
    ):
        pass


def test_a_lock_that_cannot_be_made_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """VPP is programmed all the same, as on a host whose /run cannot be written."""
    done = False
    with writing(loads(settings(Path("/dev/null/locks"))), "run", "defaults", TODO):
        done = True
    assert done
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    for text in ("Nothing keeps another bgpreflector", "/dev/null/locks/", "Not a directory"):
        assert text in record.message
    assert "set control.lock_directory" in record.message


@pytest.mark.root
def test_a_lock_of_another_user_is_no_missing_lock() -> None:
    """A command that an operator forgot to run as root does not write beside a daemon."""
    with tempfile.TemporaryDirectory(prefix="bgpr-locks-") as directory:
        place = Path(directory)
        place.chmod(0o1777)
        text = settings(place)
        with writing(loads(text), "run", "defaults", TODO):
            argv = [sys.executable, "-c", OTHER_USER, text, str(NOBODY)]
            done = subprocess.run(argv, capture_output=True, text=True, check=True)
        assert f"the lock {lock_path(loads(text))} belongs to another user" in done.stdout
        assert "`flush` does not start" in done.stdout
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        assert done.stdout == "written\n", "nobody holds it any more"
        place.chmod(0o755)
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        assert f"the directory of locks {place} belongs to another user" in done.stdout
