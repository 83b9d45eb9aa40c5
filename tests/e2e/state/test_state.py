"""Random sequences; `make state STEPS=20000` tries more, `FIRST_SEED=20` others."""

from __future__ import annotations

import os
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from .machine import Reflection
from .world import SETTLE, World

pytestmark = [pytest.mark.root, pytest.mark.timeout(1200)]

STEPS = int(os.environ.get("STATE_STEPS", "250"))
FIRST = int(os.environ.get("STATE_FIRST_SEED", "0"))

RUN = 250
"""Steps of one test."""

LENGTH = 24
"""Steps in one world."""


@pytest.mark.parametrize("number", range(FIRST, FIRST - (-STEPS // RUN)))
def test_all_agree_in_the_end(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each number is another seed; a failure shows the shortest sequence that was found."""
    monkeypatch.setattr(World, "settle", SETTLE)
    monkeypatch.setattr(Reflection, "steps", 0)
    monkeypatch.setattr(Reflection, "compared", 0)
    monkeypatch.setattr(Reflection, "failure", None)
    for again in count():
        # Some examples end early.
        missing = RUN - Reflection.steps
        if missing <= 0:
            break
        try:
            _run(1000 * again + number, -(-missing // LENGTH))
        except Flaky as error:
            raise AssertionError(f"Seen once, and then not again:\n{Reflection.failure}") from error
    assert Reflection.compared >= RUN
    print(  # noqa: T201 - for -rP
        f"seed {number}: {Reflection.steps} steps, {Reflection.compared} routes compared"
    )


def _run(number: int, worlds: int) -> None:
    run_state_machine_as_test(
        seed(number)(Reflection),
        settings=settings(
            max_examples=worlds,
            stateful_step_count=LENGTH,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
