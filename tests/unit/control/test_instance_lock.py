"""The lock of the instance that writes to a VPP: who holds it, and where it cannot be taken."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bgpreflector.config import Config, loads
from bgpreflector.daemon.instance_lock import lock_path, writing
from bgpreflector.errors import WriterError
from control.control_support import as_other_user

ADVICE = "end it first"
IMPORTS = """
from bgpreflector.config import loads
from bgpreflector.daemon.instance_lock import writing
from bgpreflector.errors import WriterError
"""
WRITE = """
try:
    with writing(loads(sys.argv[1]), "flush", "defaults", "nothing"):
        print("written")
except WriterError as error:
    print(error)
"""


def settings(directory: Path) -> str:
    """A configuration whose locks are there."""
    return f'[control]\nlock_directory = "{directory}"\n'


@contextmanager
def held(config: Config, description: bytes) -> Iterator[None]:
    """Another process's lock, which is the kernel's, and what it has written into it so far."""
    path = lock_path(config)
    assert path is not None
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.write(descriptor, description)
    try:
        yield
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("description", [b"", b'{"pid": 1', b"[]", b'{"pid": 1}'])
def test_a_holder_that_does_not_describe_itself(tmp_path: Path, description: bytes) -> None:
    """It has just started, or is another version."""
    config = loads(settings(tmp_path))
    with (
        held(config, description),
        pytest.raises(
            WriterError, match=r"^another bgpreflector writes to VPP at .*: end it first"
        ),
        writing(config, "run", "defaults", ADVICE),
    ):
        pass


def test_a_full_disk_only_leaves_the_holder_undescribed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The lock itself takes no space."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    config = loads(settings(tmp_path))
    with (
        writing(config, "run", "defaults", ADVICE),
        pytest.raises(WriterError, match=r"^another bgpreflector writes to VPP"),
        writing(config, "flush", "defaults", ADVICE),
    ):
        pass
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert f"Cannot write into the lock {lock_path(config)} (No space left" in record.message


def test_a_lock_that_cannot_be_made_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """VPP is programmed all the same, as on a host whose /run cannot be written."""
    done = False
    with writing(loads(settings(Path("/dev/null/locks"))), "run", "defaults", ADVICE):
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
        locks = Path(directory)
        locks.chmod(0o1777)
        text = settings(locks)
        with writing(loads(text), "run", "defaults", ADVICE):
            refused = as_other_user(IMPORTS, WRITE, text)
        assert f"the lock {lock_path(loads(text))} belongs to another user" in refused
        assert "`flush` does not start" in refused
        assert as_other_user(IMPORTS, WRITE, text) == "written", "the lock is released"
        locks.chmod(0o755)
        refused = as_other_user(IMPORTS, WRITE, text)
        assert f"the directory of locks {locks} belongs to another user" in refused
