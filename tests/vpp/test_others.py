"""Other writers of routes: they are named, and nothing of theirs is touched."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from bgpreflector.config.values import VPP_SOURCE_NAMES
from bgpreflector.controller import EventMethod, Transaction
from bgpreflector.errors import VppError
from bgpreflector.log_fields import KEY
from bgpreflector.vpp.fib_sources import FibSource, FibSources, Overridden
from lab.vpp import RealVpp, SimulatedVpp, Startup, Vpp
from vpp.support import MakeProgrammer, Programmer, prefixes, session_at

OURS = FibSource(25, "bgpreflector", 0x88)
API = FibSource(8, "API", 0x80)
WORSE = FibSource(18, "recursive-resolution", 0xFB)
PLUGINS = ["af_packet_plugin.so", "linux_cp_plugin.so", "linux_nl_plugin.so"]


def resync(programmer: Programmer) -> None:
    """What the event loop does at a full resync, as far as the sink takes part."""
    programmer.sink.resync()
    programmer.sink.commit(Transaction(EventMethod.FULL_RESYNC))


def test_linux_nl_is_warned_of(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    """At each start, with what to do."""
    with SimulatedVpp.running(place, plugins=PLUGINS) as vpp, Programmer.of(vpp) as programmer:
        assert programmer.sink.fib_sources.linux_nl
    assert "linux_nl_plugin.so" in caplog.text
    assert "startup.conf" in caplog.text


def test_our_source_with_another_priority_is_warned_of(
    vpp: Vpp, caplog: pytest.LogCaptureFixture
) -> None:
    """Once: an earlier run added it with another configuration."""
    made = vpp.api.fib_source_add(src={"name": "bgpreflector", "priority": 0x90, "id": 0})
    with Programmer.of(vpp) as programmer:
        assert programmer.sink.source == made.id
        resync(programmer)
    (warning,) = [record.message for record in caplog.records if "priority" in record.message]
    assert warning.startswith(
        "VPP has the FIB source bgpreflector with priority 144 where 136 is configured: "
    )


def test_a_vpp_that_has_all_sources_it_can_is_named(vpp: Vpp) -> None:
    """Each request made another one, which VPP never frees (`fib_source_allocate`)."""
    source = {"name": "other", "priority": 0x90, "id": 0}
    answers = [vpp.api.fib_source_add(src=source) for _ in range(256)]
    assert (answers[-1].retval, answers[-1].id) == (0, 0)
    said = "VPP cannot add the FIB source bgpreflector: it has 255, and frees none"
    with pytest.raises(VppError, match=said), Programmer.of(vpp):
        pass


def test_no_source_of_vpp_is_taken_for_ours(vpp: Vpp) -> None:
    """VPP would lose the routes of some, and crashes on a route of others."""
    names = [str(details.src.name).rstrip("\0") for details in vpp.api.fib_source_dump()]
    assert [name for name in names if not VPP_SOURCE_NAMES.fullmatch(name)] == []
    session = session_at(vpp.socket)
    session.connect()
    for name in ("interface", "recursive-resolution", "interpose"):
        with pytest.raises(VppError, match=f"the FIB source {name} is VPP's own"):
            session.find_fib_source(name)
    session.close()


@pytest.mark.root
@pytest.mark.vpp
def test_a_real_linux_nl_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    startup = Startup(heap="512M", statseg="128M", plugins=PLUGINS)
    with RealVpp.running(tmp_path, startup) as vpp, Programmer.of(vpp) as programmer:
        assert programmer.sink.fib_sources.linux_nl
    assert "linux_nl_plugin.so" in caplog.text


@pytest.mark.parametrize("prefix", ["0.0.0.0/0", "::/0"])
def test_a_worse_source_hides_nothing(
    vpp: Vpp, make_programmer: MakeProgrammer, prefix: str
) -> None:
    """VPP's own default route is its lowest source's: where that shows, ours is missing."""
    programmer = make_programmer(vpp)
    source = vpp.api.fib_source_add(src={"name": "worse", "priority": 0xF0, "id": 0}).id
    vpp.tamper(prefix, source=source)
    programmer.announce([prefix])
    resync(programmer)
    assert prefix in vpp.routes()
    vpp.tamper(prefix, delete=True)
    assert prefix not in vpp.routes()
    assert programmer.audit(repair=True).drifted == [(0, prefix, "missing")]
    programmer.sink.flush()
    assert prefix in vpp.routes()


@pytest.mark.papi
def test_what_others_override_is_found(
    vpp: Vpp, make_programmer: MakeProgrammer, caplog: pytest.LogCaptureFixture
) -> None:
    """After the first sync and when asked; also when it ends; and it stays untouched."""
    programmer = make_programmer(vpp)
    one, two, *_ = ours = prefixes(20)
    vpp.add_foreign_route(one)
    vpp.add_foreign_route("203.0.113.0/24")
    programmer.announce(ours)
    resync(programmer)
    assert not programmer.sink.fib_sources.linux_nl
    assert programmer.sink.fib_sources.overridden == Overridden(1, ((0, one, "API"),))
    assert "1 of our prefixes" in caplog.text
    assert one in caplog.text
    (said,) = [r for r in caplog.records if "of our prefixes" in r.getMessage()]
    (route,) = getattr(said, KEY)["routes"]
    assert route == {"prefix": one, "vpp_table": 0, "fib_source": "API"}

    caplog.clear()
    resync(programmer)
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING], "logged once"
    vpp.add_foreign_route(two)
    found = programmer.sink.overridden(limit=1)
    assert found.count == 2
    assert len(found.some) == 1
    for prefix in (one, two):
        assert vpp.has_foreign_route(prefix)
        vpp.remove_foreign_route(prefix)
    assert programmer.sink.overridden() == Overridden()
    assert len(vpp.routes()) == 20, "ours were there all the time"


@pytest.mark.papi
def test_what_an_earlier_run_left_behind_theirs_goes(
    vpp: Vpp, make_programmer: MakeProgrammer
) -> None:
    """Routes that another client has hidden meanwhile; its own stay, with or without ours."""
    before = make_programmer(vpp)
    hidden, seen, *_ = ours = prefixes(20)
    theirs = (hidden, "203.0.113.0/24", "198.51.100.0/24")
    assert before.install(ours).applied == 20
    before.sink.close()
    for prefix in theirs:
        vpp.add_foreign_route(prefix)

    programmer = make_programmer(vpp)
    resync(programmer)
    assert vpp.has_foreign_route(seen), "nobody knows yet what the kernel has"
    programmer.engine.forget_kernel()
    assert programmer.sink.flush().applied == 20 + 2
    assert vpp.routes() == {}
    for prefix in theirs:
        assert vpp.has_foreign_route(prefix)
        vpp.remove_foreign_route(prefix)
    assert not vpp.has_foreign_route(hidden), "ours was behind it"
    assert programmer.sink.flush().applied == 0


def test_sources_of_vpp_itself_are_not_searched_for_hidden_routes() -> None:
    """Every VPP has routes of theirs: a restart must send nothing for them."""
    others = FibSources()
    others.update([API, FibSource(4, "interface", 3), FibSource(30, "lcp-rt", 0x10), OURS], OURS.id)
    assert list(others.hiding) == [API.id]


def test_only_better_sources_are_asked() -> None:
    """And of equal ones VPP may prefer either."""
    others = FibSources()
    equal = FibSource(26, "another client", 0x88)
    others.update([API, WORSE, OURS, equal], OURS.id)
    assert list(others.better) == [8, 26]
    assert others.unknown
    others.update([API, WORSE], None)
    assert list(others.better) == []
