"""Create the socket's file."""

from __future__ import annotations

import fcntl
import grp
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bgpreflector.errors import ControlError

OWNER_ONLY = 0o600
DIRECTORY = 0o700
BACKLOG = 16


@dataclass(frozen=True)
class Access:
    """Who can connect."""

    group: str = ""
    """Group of the socket's file, by name or number; empty for the process' own."""

    mode: int = OWNER_ONLY
    """Its mode (:manpage:`unix(7)`: who connects needs to be able to write)."""


@contextmanager
def listening(path: Path, access: Access = Access()) -> Iterator[socket.socket]:
    """A listening socket at ``path``; removed at the end.

    The holder of the lock file beside it owns the path: the socket of a killed daemon is replaced,
    one in use is not. Raises :class:`ControlError`.
    """
    try:
        _refuse_others(path)
    except OSError as error:
        raise _failed(path, error) from error
    group = _group(access.group)
    lock = _lock(path, access, group)
    try:
        _remove_stale(path)
        with _bound(path, access, group) as made:
            try:
                yield made
            finally:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise _failed(path, error) from error
    finally:
        os.close(lock)


def _group(name: str) -> int | None:
    if not name:
        return None
    if name.isascii() and name.isdigit():
        return int(name)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise ControlError(
            f"there is no group {name}: control.group must name one of this host, or be empty"
        ) from error


def _lock(path: Path, access: Access, group: int | None) -> int:
    try:
        _make_directory(path.parent, access, group)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        # Keep the lock file: after its removal two daemons could hold two locks of one name.
        lock = os.open(path.with_name(f"{path.name}.lock"), flags, OWNER_ONLY)
    except OSError as error:
        raise _failed(path, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise ControlError(
            f"the control socket {path} belongs to another daemon that is running: set "
            "control.socket to another path for this one, or to an empty text for none"
        ) from error
    return lock


def _make_directory(path: Path, access: Access, group: int | None) -> None:
    """Create a missing directory: those who can connect can search it, and cannot list it."""
    try:
        path.mkdir(mode=DIRECTORY)
    except FileExistsError:
        return
    if group is not None:
        os.chown(path, -1, group)
    passing = (access.mode & 0o022) >> 1
    if passing:
        path.chmod(DIRECTORY | passing)


def _refuse_others(path: Path) -> bool:
    """Whether a socket exists; raises :class:`ControlError` for another kind of file."""
    try:
        is_socket = stat.S_ISSOCK(path.lstat().st_mode)
    except FileNotFoundError:
        return False
    if not is_socket:
        raise ControlError(f"{path} exists and is no socket: control.socket must name a free path")
    return True


def _remove_stale(path: Path) -> None:
    if _refuse_others(path):
        path.unlink()


def _bound(path: Path, access: Access, group: int | None) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        # bind() gives the file the socket's mode from its first moment; the umask, which all
        # threads share, need not change.
        os.fchmod(made.fileno(), OWNER_ONLY)
        made.bind(os.fspath(path))
        # Nobody can connect yet: that takes listen().
        if group is not None:
            os.chown(path, -1, group, follow_symlinks=False)
        if access.mode != OWNER_ONLY:
            path.chmod(access.mode)
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def _failed(path: Path, error: OSError) -> ControlError:
    return ControlError(
        f"the control socket {path} cannot be created: {error.strerror or error}; set "
        "control.socket to another path, or to an empty text for none"
    )
