"""The control server: one thread for a bounded number of clients."""

from __future__ import annotations

import asyncio
import logging
import os
import struct
import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import SO_PEERCRED, SOL_SOCKET, socket

from bgpreflector.errors import KernelError, ReflectorError, VppError
from bgpreflector.log_fields import fields

from .lines import MAX_REQUEST, Code, Row, end_line, error_line, row_lines
from .protocol import Answering, Handler, RefusedError, Request, parse_request
from .socket_file import Access, listening

_log = logging.getLogger(__name__)

ACCEPT_PAUSE = 1.0
"""Seconds to pause after a failed accept, such as with no descriptors left."""


@dataclass(frozen=True)
class Limits:
    """Limits for clients."""

    clients: int = 16
    """The most clients at a time: so many of root and the daemon's own user, and so many others,
    who must not lock these out."""

    idle: float = 60.0
    """Seconds that a client may take for a request."""

    write: float = 30.0
    """Seconds that a client may take to read a page."""


@dataclass(frozen=True)
class _Client:
    """A connected client."""

    writer: asyncio.StreamWriter
    user: int

    @property
    def trusted(self) -> bool:
        """Whether it may do everything."""
        return self.user in {0, os.geteuid()}


class ControlServer:
    """Serves commands at a Unix socket from :meth:`start` to :meth:`close`."""

    def __init__(
        self,
        path: Path,
        handlers: Mapping[str, Handler],
        *,
        access: Access | None = None,
        others_may: Collection[str] = (),
        limits: Limits | None = None,
    ) -> None:
        """``handlers`` serve the commands by name; each call has a thread of its own.

        ``access``: who can connect, by default the owner alone. ``others_may``: the commands for
        clients that are neither root nor of the process' own user (``SO_PEERCRED``).
        """
        self.path = path
        self._handlers = handlers
        self._access = access or Access()
        self._others_may = frozenset(others_may)
        self._limits = limits or Limits()
        self._open = ExitStack()
        self._clients: dict[asyncio.Task[None], _Client] = {}

    def start(self) -> None:
        """Listen, once. Raises :class:`bgpreflector.errors.ControlError`."""
        with ExitStack() as opened:
            listener = opened.enter_context(listening(self.path, self._access))
            loop, stop = asyncio.new_event_loop(), asyncio.Event()
            thread = threading.Thread(
                target=self._run, args=(loop, stop, listener), name="control", daemon=True
            )
            thread.start()
            opened.callback(thread.join)
            opened.callback(loop.call_soon_threadsafe, stop.set)
            self._open = opened.pop_all()
        _log.info(
            "Listening for `bgpreflector status` and the like at %s",
            self.path,
            extra=fields("listening", socket=str(self.path)),
        )

    def close(self) -> None:
        """Close all connections and remove the socket. Idempotent.

        Waits for running commands, so whatever they wait for must have ended.
        """
        self._open.close()

    def _run(self, loop: asyncio.AbstractEventLoop, stop: asyncio.Event, listener: socket) -> None:
        with ThreadPoolExecutor(2 * self._limits.clients, "control-command") as pool:
            loop.set_default_executor(pool)
            loop.run_until_complete(self._serve(stop, listener))
        loop.close()

    async def _serve(self, stop: asyncio.Event, listener: socket) -> None:
        accepting = asyncio.create_task(self._accept(listener))
        await stop.wait()
        accepting.cancel()
        await asyncio.wait([accepting])
        clients = dict(self._clients)
        for task in clients:
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        for client in clients.values():
            # One that was just accepted has not started, so it did not do this itself.
            await _hang_up(client.writer)

    async def _accept(self, listener: socket) -> None:
        """Accept clients; asyncio's own server drops just accepted ones when it closes."""
        listener.settimeout(0)
        while True:
            try:
                connection, _ = await asyncio.get_running_loop().sock_accept(listener)
            except OSError as error:
                _log.warning("Cannot accept control clients for a while: %s", error)
                await asyncio.sleep(ACCEPT_PAUSE)
                continue
            reader, writer = await asyncio.open_unix_connection(sock=connection, limit=MAX_REQUEST)
            # An answer counts as written once the kernel has all of it: the rest is lost when the
            # connection closes, also for a client that has sent everything and still reads.
            writer.transport.set_write_buffer_limits(high=0)
            client = _Client(writer, _user(writer))
            alike = sum(other.trusted == client.trusted for other in self._clients.values())
            full = alike >= self._limits.clients
            task = asyncio.create_task(self._serve_client(reader, client, full=full))
            self._clients[task] = client
            task.add_done_callback(self._clients.pop)

    async def _serve_client(
        self, reader: asyncio.StreamReader, client: _Client, *, full: bool
    ) -> None:
        try:
            if full:
                await self._write(client.writer, _busy(self._limits.clients))
            else:
                await self._requests(reader, client)
        except (OSError, TimeoutError) as error:
            _log.debug("Disconnected a control client: %s", error or type(error).__name__)
        except asyncio.CancelledError:
            _log.debug("Disconnected a control client because the daemon ends")
        finally:
            await _hang_up(client.writer)

    async def _requests(self, reader: asyncio.StreamReader, client: _Client) -> None:
        while True:
            try:
                async with asyncio.timeout(self._limits.idle):
                    line = await reader.readline()
            except ValueError:
                # The start of the next request in the rest is unknown.
                message = f"a request has at most {MAX_REQUEST} bytes"
                await self._write(client.writer, error_line("request", message))
                return
            if not line:
                return
            await self._answer(line, client)

    async def _answer(self, line: bytes, client: _Client) -> None:
        writer = client.writer
        try:
            request = parse_request(line)
            handler = self._handler(request)
            self._authorize(request, client)
            await self._pages(handler(request.arguments), writer)
        except RefusedError as error:
            await self._write(writer, error_line(error.code, str(error)))
        except ReflectorError as error:
            await self._write(writer, error_line(_code(error), str(error)))
        except (OSError, TimeoutError):
            raise
        except Exception as error:  # noqa: BLE001 - sent to the client; the server continues
            _log.exception("A control command failed")
            message = f"{type(error).__name__}: {error}; the daemon's log has more"
            await self._write(writer, error_line("failed", message))

    def _authorize(self, request: Request, client: _Client) -> None:
        """Raises :class:`RefusedError`."""
        if client.trusted or request.command in self._others_may:
            return
        raise RefusedError(
            "forbidden",
            f"{request.command!r} is not for user {client.user}: run it as root or as the daemon's "
            'user, or set control.role = "operator" and restart the daemon',
        )

    def _handler(self, request: Request) -> Handler:
        handler = self._handlers.get(request.command)
        if handler is None:
            known = ", ".join(sorted(self._handlers))
            raise RefusedError("command", f"no command {request.command!r}; there are: {known}")
        return handler

    async def _pages(self, answering: Answering, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                page, end = await asyncio.to_thread(_next, answering)
                if end is not None:
                    await self._write(writer, end_line(end))
                    return
                await self._write(writer, row_lines(page))
        finally:
            # A command that was cancelled within a page still runs it.
            with suppress(ValueError):
                answering.close()

    async def _write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(data)
        async with asyncio.timeout(self._limits.write):
            await writer.drain()


def _user(writer: asyncio.StreamWriter) -> int:
    """The client's user when it connected (``struct ucred``, :manpage:`unix(7)`)."""
    client = writer.get_extra_info("socket")
    _, user, _ = struct.unpack("iII", client.getsockopt(SOL_SOCKET, SO_PEERCRED, 12))
    return int(user)


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    if writer.transport.get_write_buffer_size():
        # Do not wait for a client that does not read.
        writer.transport.abort()
    else:
        writer.close()
    # The loop must not end before this.
    with suppress(OSError):
        await writer.wait_closed()


def _next(answering: Answering) -> tuple[Sequence[Row], Mapping[str, object] | None]:
    try:
        return next(answering), None
    except StopIteration as stop:
        return (), stop.value
    except OSError as error:
        # Not the client's connection: only the server uses it.
        raise RefusedError("failed", str(error)) from error


def _busy(clients: int) -> bytes:
    message = f"{clients} clients are connected already, the limit: try again later"
    return error_line("busy", message)


def _code(error: ReflectorError) -> Code:
    if isinstance(error, VppError):
        return "vpp"
    return "kernel" if isinstance(error, KernelError) else "failed"
