"""Routing protocols (``rtm_protocol``) by name, and groups of them."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, TypeAdapter

from .iproute2 import ROOT, names_by_number
from .suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_KERNEL_HEADER: Mapping[int, str] = {
    1: "redirect",
    2: "kernel",
    3: "boot",
    4: "static",
    8: "gated",
    9: "ra",
    10: "mrt",
    11: "zebra",
    12: "bird",
    13: "dnrouted",
    14: "xorp",
    15: "ntk",
    16: "dhcp",
    17: "mrouted",
    18: "keepalived",
    42: "babel",
    84: "ovn",
    99: "openr",
    186: "bgp",
    187: "isis",
    188: "ospf",
    189: "rip",
    192: "eigrp",
}
"""``RTPROT_*`` of linux/rtnetlink.h."""

_FRR: Mapping[int, str] = {
    11: "zebra",
    42: "babel",
    186: "bgp",
    187: "isis",
    188: "ospf",
    189: "rip",
    190: "ripng",
    191: "nhrp",
    192: "eigrp",
    193: "ldp",
    194: "sharp",
    195: "pbr",
    196: "frr-static",
    197: "openfabric",
    198: "srte",
}
"""``RTPROT_*`` of FRR's zebra/rt_netlink.h. FRR calls 196 ``static``, as the kernel does 4."""

_BUILT_IN: Mapping[int, str] = {**_KERNEL_HEADER, **_FRR}

_HIGHEST = 255
_NO_ROUTERS = (1, 2)
"""Redirects, and the kernel's own routes for links and addresses, of which VPP has its own."""

GROUPS: Mapping[str, tuple[int, ...]] = {
    "all": tuple(n for n in range(1, _HIGHEST + 1) if n not in _NO_ROUTERS),
    "frr": tuple(_FRR),
    "bird": (12,),
}
"""Groups by name: every protocol but the kernel's own two, and those of one routing suite."""


class ProtocolNames:
    """Names in both directions: a name that is shown parses to the same number."""

    def __init__(self, host: Mapping[int, str]) -> None:
        """``host`` are the names of ``rt_protos``, which override ours."""
        self._numbers: dict[str, int] = {}
        shown: dict[int, str] = {}
        for names in (host, _BUILT_IN):
            for number, name in sorted(names.items()):
                known = self._numbers.setdefault(name.lower(), number)
                if known == number and 0 < number <= _HIGHEST:
                    shown.setdefault(number, name)
        # The lower number has a name that two have, as in iproute2: `static` is 4, never 196.
        self._shown = shown

    def name(self, number: int) -> str:
        """As ``ip route`` shows it: the name, or the number if it has none."""
        return self._shown.get(number, str(number))

    def number(self, name: str) -> int | None:
        """The protocols of a name, ignoring case."""
        found = self._numbers.get(name.lower())
        return found if found is not None and 1 <= found <= _HIGHEST else None

    def known(self) -> list[str]:
        """All names that can be written, groups too."""
        return [*self._shown.values(), *GROUPS]

    def text(self, numbers: Iterable[int]) -> str:
        """Several protocols as text, with whole groups by name."""
        left = dict.fromkeys(numbers)
        words = []
        for group in ("all", "frr"):
            if left.keys() >= set(GROUPS[group]):
                words.append(group)
                left = {number: None for number in left if number not in GROUPS[group]}
        return ", ".join([*words, *map(self.name, left)])


@cache
def protocol_names(root: Path = ROOT) -> ProtocolNames:
    """The names of this host."""
    return ProtocolNames(names_by_number("rt_protos", root))


def protocol_name(number: int) -> str:
    """A protocol as ``ip route`` shows it on this host."""
    return protocol_names().name(number)


def protocols_text(numbers: Iterable[int]) -> str:
    """Several protocols as text."""
    return protocol_names().text(numbers)


def protocol_numbers(value: object) -> tuple[int, ...]:
    """A protocol or a group of them, by number or name.

    Raises ``ValueError`` with what is allowed and what may have been meant.
    """
    hint = ""
    if isinstance(value, str):
        text = value.strip().lower()
        if text in GROUPS:
            return GROUPS[text]
        names = protocol_names()
        number = int(text) if text.isdecimal() else names.number(text)
        hint = "" if number is not None else did_you_mean(text, names.known())
        value = number
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _HIGHEST:
        return (value,)
    raise ValueError(
        'must be a protocol, 1 to 255 or a name such as "bird" or "bgp", or one of the groups '
        f'"frr" and "all"{hint}'
    )


_ITEMS: TypeAdapter[tuple[tuple[int, ...], ...]] = TypeAdapter(
    tuple[Annotated[tuple[int, ...], BeforeValidator(protocol_numbers)], ...]
)


def expanded(value: object) -> object:
    """A list of protocols with its groups replaced by their members, none of them twice.

    What is named by itself and repeated stays so, for the list's own validator to refuse. Raises
    pydantic's ``ValidationError`` with the place of each item that is none.
    """
    if not isinstance(value, list | tuple):
        return value
    items = _ITEMS.validate_python(tuple(value))
    alone = [numbers[0] for numbers in items if len(numbers) == 1]
    in_order = dict.fromkeys(number for numbers in items for number in numbers)
    repeated = (number for number, times in Counter(alone).items() for _ in range(times - 1))
    return (*in_order, *repeated)
