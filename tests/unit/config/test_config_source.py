"""Where the routes come from: the kernel, or zebra by FPM."""

from __future__ import annotations

import pytest

from bgpreflector.config import FRR_PROTOCOLS, Config, loads
from bgpreflector.doctor.fpm import fpm_findings
from config.config_support import problems


def test_the_kernel_is_the_default() -> None:
    config = Config()
    assert not config.is_fpm
    assert config.kernel.protocols == (12,)
    assert list(fpm_findings(config)) == []


def test_fpm_means_the_protocols_of_frr_unless_some_are_named() -> None:
    config = loads('[source]\nkind = "fpm"\n')
    assert config.is_fpm
    assert config.kernel.protocols == FRR_PROTOCOLS
    assert (config.fpm.listen, config.fpm.quiet_time, config.fpm.stale_routes_time) == (
        "127.0.0.1:2620",
        5,
        0,
    )
    assert [found.severity.value for found in fpm_findings(config)] == ["ok"]
    named = loads('[source]\nkind = "fpm"\n[kernel]\nprotocols = ["bgp"]\n')
    assert named.kernel.protocols == (186,)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('listen = "somewhere"', "an address and a port"),
        ("listen = 2620", "an address and a port"),
        ("quiet_time = 0", "must be more than 0"),
        ("stale_routes_time = -1", "must be at least 0"),
    ],
)
def test_wrong_values_are_refused(line: str, problem: str) -> None:
    assert problem in problems(f"[fpm]\n{line}\n")[0]


def test_doctor_names_what_would_not_work_or_is_dangerous() -> None:
    text = '[source]\nkind = "fpm"\n[fpm]\nlisten = "0.0.0.0:2620"\n[kernel]\nprotocols = [12]\n'
    found = {finding.object: finding for finding in fpm_findings(loads(text))}
    assert found["fpm.listen"].severity.value == "warning"
    assert "no loopback address" in found["fpm.listen"].what
    assert found["kernel.protocols"].severity.value == "error"
