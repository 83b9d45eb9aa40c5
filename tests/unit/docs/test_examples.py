"""The programs in examples/ do what they say, with the kernel and with the embedded VPP."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp

EXAMPLES = Path(__file__).parents[3] / "examples"

pytestmark = pytest.mark.root


@contextmanager
def example(name: str, output: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """The program, which prints into a file; it ends in order."""
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, str(EXAMPLES / name), *arguments], stdout=out, stderr=out
        )
    try:
        yield process
        assert process.poll() is None, output.read_text()
    finally:
        process.terminate()
        assert process.wait(30) == 0, output.read_text()


@pytest.fixture
def kernel(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """One link."""
    namespace = make_namespace("examples")
    namespace.add_link("loop0", "10.0.0.1/24")
    return namespace


def test_a_sink_of_ones_own(kernel: Namespace, tmp_path: Path) -> None:
    """It gets existing routes, changes and deletions."""
    output = tmp_path / "output"

    def printed(*lines: str) -> None:
        wait_until(output.read_text, 30, lines[-1], accept=lambda t: t.splitlines() == [*lines])

    kernel.ip("route", "add", "192.0.2.0/24", "via", "10.0.0.2", "proto", "bird")
    with example("table_sink.py", output, str(kernel.path)):
        first = "put 192.0.2.0/24 via 10.0.0.2 dev loop0"
        printed(first)
        kernel.ip("route", "replace", "192.0.2.0/24", "via", "10.0.0.3", "proto", "bird")
        second = "put 192.0.2.0/24 via 10.0.0.3 dev loop0"
        printed(first, second)
        kernel.ip("route", "del", "192.0.2.0/24")
        printed(first, second, "delete 192.0.2.0/24")


def test_a_handler_beside_the_reflector(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """It is called for withdrawals, and VPP gets the same as without it."""
    config, output = tmp_path / "config.toml", tmp_path / "output"
    config.write_text(
        f'[kernel]\nnamespace = "{kernel.path}"\n[vpp]\napi_socket = "{simulator.socket}"\n'
        f'[vpp.interfaces]\nmap = {{ loop0 = "{simulator.interface}" }}\n'
    )
    prefixes = [f"30.0.{number}.0/24" for number in range(200)]
    ip_batch(kernel, (f"route add {prefix} via 10.0.0.2 proto bird" for prefix in prefixes))
    with example("withdrawal_alarm.py", output, str(config), "0"):
        wait_until(simulator.routes, 30, "all", accept=lambda seen: len(seen) == len(prefixes))
        assert output.read_text() == ""
        ip_batch(kernel, (f"route del {prefix}" for prefix in prefixes))
        wait_until(simulator.routes, 30, "none", accept=lambda seen: not seen)
        lines = output.read_text().splitlines()
        assert sum(int(line.split()[0]) for line in lines) == len(prefixes)
        shown = r"\d+ prefixes go at once, such as delete 30\.0\.\d+\.0/24 table 254 \(VPP has .*\)"
        assert all(re.fullmatch(shown, line) for line in lines)
