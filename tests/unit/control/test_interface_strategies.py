"""By what an interface was found, as `show interfaces` says it."""

from __future__ import annotations

from bgpreflector.config import loads
from bgpreflector.vpp.interfaces import VppInterfaces, map_interfaces

FILE = """
[vpp.interfaces]
strategies = ["map", "linux-cp", "main"]
map = { a = "port1", b = "gone" }
main_interface = "port1"
"""


def test_each_by_the_first_strategy_that_has_it() -> None:
    """An entry of the map whose interface VPP does not have maps nothing."""
    vpp = VppInterfaces(by_name={"port1": 1, "port2": 2}, pairs={"a": 2, "b": 2, "c": 2})
    made = map_interfaces(loads(FILE).vpp.interfaces, vpp)
    assert made.map == {"a": 1, "b": 2, "c": 2}
    assert made.found_by == {"a": "map", "b": "linux-cp", "c": "linux-cp"}
    assert (made.unmapped, made.missing) == (1, ("gone",))
    assert vpp.names == {1: "port1", 2: "port2"}
