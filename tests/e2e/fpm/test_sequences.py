"""Random sequences of a scripted zebra, from seeds; FPM_SEEDS=1-200 tries more."""

from __future__ import annotations

import os
import random

import pytest

from oracle.forwarder import Maker, embedded, real

from .sequence import Sequence, fpm_status, fpm_world

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]

OPERATIONS = int(os.environ.get("FPM_OPERATIONS", "80"))
"""Of each seed."""


def seeds() -> range:
    """Those of ``FPM_SEEDS`` (FIRST-LAST)."""
    first, _, last = os.environ.get("FPM_SEEDS", "1-6").partition("-")
    return range(int(first), int(last or first) + 1)


@pytest.mark.parametrize("seed", seeds())
def test_vpp_and_the_results_say_what_zebra_does(seed: int) -> None:
    """After each operation, whether zebra is connected or not."""
    _check(seed, embedded)


@pytest.mark.vpp
@pytest.mark.parametrize("seed", seeds())
def test_a_real_vpp_and_the_results_do_too(seed: int) -> None:
    _check(seed, real)


def _check(seed: int, make: Maker) -> None:
    done: list[str] = []
    with fpm_world(make=make) as seen:
        sequence = Sequence(seen, random.Random(seed))
        try:
            sequence.settle()
            for _ in range(OPERATIONS):
                done.append(sequence.step())
                sequence.compare()
            sequence.settle()
            sequence.compare()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, after {done}: {error}") from error
        finally:
            sequence.zebra.disconnect()
        assert seen.refused() == 0
        status = fpm_status(seen)
        assert status.sweeps > 0
        assert status.protocol_errors == 0
