"""The HTTP listener where descriptors or threads run out, and beside clients that say nothing."""

from __future__ import annotations

import errno
import http.client
import logging
import os
import re
import socket
import threading
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, cast

import pytest

from bgpreflector.config.metrics import parse_address
from bgpreflector.metrics import http as listener
from bgpreflector.metrics.connection_limit import MAX_CLIENTS
from bgpreflector.metrics.http import MetricsServer
from lab import wait_until


class Alive:
    """A service that does well."""

    alive = True
    hung = None


@pytest.fixture
def server() -> Iterator[MetricsServer]:
    """It listens."""
    made = MetricsServer(cast("Any", Alive()), parse_address("127.0.0.1:0"))
    made.start()
    yield made
    made.close()


def probe(server: MetricsServer) -> int:
    """What a probe gets; 0 where it is hung up on."""
    try:
        return get(server, "/-/healthy")[0]
    except (http.client.HTTPException, ConnectionError):
        return 0


def get(server: MetricsServer, path: str) -> tuple[int, str, str]:
    """Status, type and text."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read().decode()
    finally:
        connection.close()


def test_a_page_for_browsers(server: MetricsServer) -> None:
    """It has the version, and leads to all that there is."""
    status, kind, text = get(server, "/")
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert f"bgpreflector {version('bgpreflector')}" in text
    assert socket.gethostname() in text
    links = re.findall(r'href="([^"]+)"', text)
    assert links == ["/metrics", "/-/healthy", "/-/ready"]
    status, _, text = get(server, "/nowhere")
    assert status == 404
    assert text == "there are /, /metrics, /-/healthy, /-/ready\n"


def test_threads_that_cannot_be_made(
    server: MetricsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once they can, probes are answered: none has kept a place."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if "process_request_thread" in thread.name:
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert [probe(server) for _ in range(MAX_CLIENTS + 2)] == [0] * (MAX_CLIENTS + 2)
    assert probe(server) == 200


def test_clients_that_say_nothing(server: MetricsServer) -> None:
    """However many there are, a probe is answered."""
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3 * MAX_CLIENTS)]
    try:
        assert probe(server) == 200
    finally:
        for one in silent:
            one.close()


def test_no_descriptor_is_left(
    server: MetricsServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It waits, and says so, rather than try without end; the end is not kept waiting."""
    monkeypatch.setattr(listener, "ACCEPT_PAUSE", 3600)
    tries = []

    def full(made: socket.socket) -> object:
        tries.append(made)
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(socket.socket, "accept", full)
        waiting = socket.create_connection(("127.0.0.1", server.port))
        wait_until(lambda: "Cannot accept clients of metrics" in caplog.text, 20, "it says so")
        server.close()
        waiting.close()
    assert len(tries) == 1
