"""The dashboard's drawing asks Prometheus what Grafana would ask."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from lab.command import ROOT

START = 1_000_000
VALUES = {"job": ["bgpreflector", "edge"], "instance": ["10.0.0.1:19482"]}
FILLED_IN = r'{instance=~"10\\.0\\.0\\.1:19482",job=~"(bgpreflector|edge)"}'
VERSIONS = {"version": "1.0", "source": "kernel", "instance": "10.0.0.1:19482"}


class Prometheus(ThreadingHTTPServer):
    """One that has the same two points for every query, but none of FPM, and notes what it is
    asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: list[tuple[str, dict[str, str]]] = []

    def answer(self, path: str, asked: dict[str, str]) -> object:
        """The field ``data``."""
        self.asked.append((path, asked))
        if path.endswith("/values"):
            return VALUES[path.split("/")[-2]]
        name = asked["query"].partition("{")[0]
        values = [[START, "0"], [START + 2, "1"]]
        found = [{"metric": {"__name__": name, **VERSIONS}, "values": values}]
        return {"result": [] if "fpm" in name else found}


class Answer(BaseHTTPRequestHandler):
    """Of one request."""

    server: Prometheus

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        body = json.dumps({"data": self.server.answer(url.path, asked)}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
        """Nothing."""


@contextmanager
def running() -> Iterator[Prometheus]:
    """One that listens until the end."""
    with Prometheus() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_variables_and_intervals_are_filled_in(tmp_path: Path) -> None:
    """With all values of each, as an expression; a later variable asks with an earlier one."""
    picture = tmp_path / "dashboard.png"
    with running() as server:
        base = f"http://127.0.0.1:{server.server_port}"
        command = [sys.executable, "scripts/draw_dashboard.py", base, str(START), str(START + 60)]
        subprocess.run([*command, str(picture)], cwd=ROOT, check=True, timeout=120)
    assert picture.read_bytes().startswith(b"\x89PNG")
    values = {path: asked["match[]"] for path, asked in server.asked if path.endswith("/values")}
    assert values == {
        "/api/v1/label/job/values": "bgpreflector_build_info",
        "/api/v1/label/instance/values": 'bgpreflector_build_info{job=~"(bgpreflector|edge)"}',
    }
    queries = [asked["query"] for path, asked in server.asked if path.endswith("/query_range")]
    assert f"min(bgpreflector_ready{FILLED_IN})" in queries
    assert not [query for query in queries if "$" in query]
    assert any("[8s]" in query for query in queries), "four scrapes of two seconds"
