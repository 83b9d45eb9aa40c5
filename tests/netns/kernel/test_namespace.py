"""A namespace is more than its name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lab import Namespace, wait_until
from lab.netns import run

from .following import LINK, desired, following, with_link

pytestmark = pytest.mark.root

TIMEOUT = 20.0
"""Seconds."""


def test_another_namespace_of_the_name_is_followed(
    make_namespace: Callable[[str], Namespace],
) -> None:
    """Without one of the name nothing is known; and then what the new one has counts."""
    namespace = make_namespace("reborn")
    with_link(namespace)
    namespace.ip("route", "add", "198.18.0.0/24", "via", "10.0.0.2", "proto", "12")
    with following(namespace) as engine:
        assert set(desired(engine)) == {"198.18.0.0/24"}
        run("ip", "netns", "del", namespace.name)

        def unknown() -> bool:
            return not engine.status().synchronised

        wait_until(unknown, TIMEOUT, "it is noticed that the namespace is gone")
        assert set(desired(engine)) == {"198.18.0.0/24"}
        run("ip", "netns", "add", namespace.name)
        with_link(namespace)
        namespace.ip("route", "add", "198.18.1.0/24", "via", "10.0.0.2", "proto", "12")

        def followed() -> set[str]:
            return set(desired(engine))

        wait_until(
            followed, TIMEOUT, "the new one is read", accept=lambda s: s == {"198.18.1.0/24"}
        )
        assert engine.status().synchronised
        namespace.ip("route", "add", "198.18.2.0/24", "dev", LINK, "proto", "12")
        both = {"198.18.1.0/24", "198.18.2.0/24"}
        wait_until(followed, TIMEOUT, "its changes are read", accept=lambda s: s == both)
