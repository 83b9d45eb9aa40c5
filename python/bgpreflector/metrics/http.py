"""The HTTP listener: metrics, liveness and readiness, all of them read-only."""

from __future__ import annotations

import logging
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, PlatformCollector
from prometheus_client.exposition import choose_encoder

from bgpreflector.daemon.status import status_of
from bgpreflector.errors import ReflectorError
from bgpreflector.log_fields import fields

from . import landing
from .collector import DaemonCollector
from .connection_limit import ConnectionLimit
from .process import OwnProcess

if TYPE_CHECKING:
    from bgpreflector.config import Address
    from bgpreflector.daemon.supervisor import Supervisor

_log = logging.getLogger(__name__)

ACCEPT_PAUSE = 1.0
"""Seconds to pause after a failed accept, such as with no descriptors left."""

REQUEST_TIMEOUT = 10.0
"""Seconds that a client may take for its request."""

TEXT = "text/plain; charset=utf-8"


class MetricsServer:
    """Serves ``/metrics``, ``/-/healthy`` and ``/-/ready`` from :meth:`start` to :meth:`close`."""

    def __init__(self, service: Supervisor, address: Address) -> None:
        self._service = service
        self._address = address
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port, once it listens."""
        return self._address.port if self._server is None else self._server.server_port

    def start(self) -> None:
        """Listen, once. Raises :class:`ReflectorError`."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(DaemonCollector(self._service))
        OwnProcess(registry=registry)
        PlatformCollector(registry=registry)
        try:
            self._server = _Server(self._address, self._service, registry)
        except OSError as error:
            raise ReflectorError(
                f"metrics cannot be served at {self._address}: {error.strerror or error}; name "
                "another address by metrics.address, or none by an empty text"
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="metrics", daemon=True
        )
        self._thread.start()
        address = self._address.with_port(self.port)
        _log.info(
            "Metrics at http://%s/metrics", address, extra=fields("listening", address=str(address))
        )

    def close(self) -> None:
        """Stop. Idempotent."""
        server, self._server = self._server, None
        if server is None or self._thread is None:
            return
        server.ending.set()
        server.shutdown()
        self._thread.join()
        server.server_close()


Connection = socket.socket | tuple[bytes, socket.socket]
"""The type that http.server has; ours are sockets."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    # A burst that the queue does not hold costs a probe seconds: the kernel drops its SYN, and the
    # client repeats that after 1, 2 and 4 s.
    request_queue_size = socket.SOMAXCONN

    def __init__(self, address: Address, service: Supervisor, registry: CollectorRegistry) -> None:
        self.service = service
        self.registry = registry
        self.connections = ConnectionLimit()
        self.ending = threading.Event()
        self.address_family = socket.AF_INET6 if address.is_ip6 else socket.AF_INET
        super().__init__((str(address.host), address.port), _Handler)

    def server_bind(self) -> None:
        """Bind without the base class's lookup of the host name, which may block."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def get_request(self) -> tuple[socket.socket, object]:
        """Accept; pause after a failure, which would repeat while the connection waits."""
        try:
            return super().get_request()
        except OSError as error:
            _log.warning("Cannot accept clients of metrics for a while: %s", error)
            self.ending.wait(ACCEPT_PAUSE)
            raise

    def verify_request(self, request: Connection, client_address: object) -> bool:  # noqa: ARG002
        """Whether another connection is allowed."""
        return self.connections.take(request)

    def process_request(self, request: Connection, client_address: object) -> None:
        """Serve it on its own thread."""
        try:
            super().process_request(request, client_address)
        except BaseException as error:
            self.connections.give_back(request)
            _log.warning("Cannot serve a client of metrics: %s", error)
            raise

    def process_request_thread(self, request: Connection, client_address: object) -> None:
        """Release its place when it is done."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.connections.give_back(request)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """Log errors, except that a client disconnects."""
        _log.debug("A request for metrics failed", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = REQUEST_TIMEOUT
    server_version = "bgpreflector"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer a path."""
        self.server.connections.has_asked(self.connection)
        path = self.path.partition("?")[0]
        if path == "/metrics":
            encode, kind = choose_encoder(self.headers.get("Accept", ""))
            self._answer(HTTPStatus.OK, kind, encode(self.server.registry))
        elif path == "/-/healthy":
            service = self.server.service
            wrong = service.hung if service.alive else "the daemon ends"
            self._say(wrong or "healthy", well=wrong is None)
        elif path == "/-/ready":
            report = status_of(self.server.service.daemon)
            self._say(report.state, well=report.ready)
        elif path == "/":
            self._answer(HTTPStatus.OK, landing.TYPE, landing.page().encode())
        else:
            text = f"there are {', '.join(['/', *landing.LINKS])}\n"
            self._answer(HTTPStatus.NOT_FOUND, TEXT, text.encode())

    do_HEAD = do_GET  # noqa: N815 - http.server's name

    def _say(self, text: str, *, well: bool) -> None:
        code = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
        self._answer(code, TEXT, f"{text}\n".encode())

    def _answer(self, code: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name there
        """Log nothing: probes come every few seconds."""
        _log.debug(format, *arguments)
