"""The test laboratory: network namespaces, their kernel's routes, and real BIRDs that speak BGP.

Nothing here knows the program under test; tests compare what it says with what this reads.
"""

from __future__ import annotations

from .bgp_pair import BgpPair, running_bgp_pair
from .bird import Bird, BirdError, running_bird
from .bird_config import BirdConfig, Session
from .churn import again_and_again
from .global_table import TableRoute, global_table, hosts_of
from .kernel import (
    KernelRoute,
    NextHop,
    RouteKey,
    forwarding,
    ip_batch,
    read_forwarding,
    read_routes,
)
from .netns import Namespace, connect, namespace
from .prefixes import prefixes
from .wait import ConditionNotMet, wait_until

__all__ = [
    "BgpPair",
    "Bird",
    "BirdConfig",
    "BirdError",
    "ConditionNotMet",
    "KernelRoute",
    "Namespace",
    "NextHop",
    "RouteKey",
    "Session",
    "TableRoute",
    "again_and_again",
    "connect",
    "forwarding",
    "global_table",
    "hosts_of",
    "ip_batch",
    "namespace",
    "prefixes",
    "read_forwarding",
    "read_routes",
    "running_bgp_pair",
    "running_bird",
    "wait_until",
]
