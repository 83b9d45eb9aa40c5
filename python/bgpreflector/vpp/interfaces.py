"""Which VPP interface is mapped to which Linux interface: policy only, no API."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bgpreflector.errors import VppError

if TYPE_CHECKING:
    from bgpreflector.config import InterfacesConfig


@dataclass(frozen=True)
class VppInterfaces:
    """What VPP has: ``sw_if_index`` by name, and its linux-cp pairs."""

    by_name: Mapping[str, int] = field(default_factory=dict)
    pairs: Mapping[str, int] = field(default_factory=dict)
    """``sw_if_index`` of the VPP end of a linux-cp pair, by the name of its Linux end in the
    namespace that is read."""

    addresses: Mapping[str, bytes] = field(default_factory=dict)
    """Hardware address by name, of the interfaces that have one."""

    taps: Collection[str] = frozenset()
    """Names that both ends of a tap share: they are two interfaces."""

    other_namespaces: tuple[str, ...] = ()
    """Linux ends of pairs in other network namespaces."""

    ambiguous: tuple[str, ...] = ()
    """Names of several Linux ends of which it is unknown which one is in this namespace."""

    @property
    def names(self) -> dict[int, str]:
        """Names by ``sw_if_index``."""
        return {index: name for name, index in self.by_name.items()}


@dataclass(frozen=True)
class InterfaceMap:
    """VPP interfaces by Linux name, and the default for the others."""

    map: Mapping[str, int]
    same_mac: Mapping[str, tuple[int, bytes]] = field(default_factory=dict)
    """``sw_if_index`` and hardware address of the VPP interface of the same name, used for a
    Linux interface with the same address that :attr:`map` does not have."""

    unmapped: int | None = None
    """``sw_if_index`` of the main interface, for all others."""

    recursive: bool = False
    """Whether VPP's FIB resolves the interface for all others."""

    missing: tuple[str, ...] = ()
    """Configured VPP interfaces that VPP does not have."""

    found_by: Mapping[str, str] = field(default_factory=dict)
    """The strategy that found each of :attr:`map` (``vpp.interfaces.strategies``)."""

    def without(self, gone: Collection[int]) -> InterfaceMap:
        """The same without some VPP interfaces."""
        return replace(
            self,
            map={name: index for name, index in self.map.items() if index not in gone},
            same_mac={name: found for name, found in self.same_mac.items() if found[0] not in gone},
            unmapped=None if self.unmapped in gone else self.unmapped,
        )


def map_interfaces(config: InterfacesConfig, vpp: VppInterfaces) -> InterfaceMap:
    """Apply the configured strategies; for each Linux interface the first match wins."""
    result: dict[str, int] = {}
    found_by: dict[str, str] = {}
    same_mac: dict[str, tuple[int, bytes]] = {}
    unmapped: int | None = None
    recursive = False
    missing: list[str] = []
    for strategy in config.strategies:
        match strategy:
            case "map":
                _merge(result, _explicit(config.map, vpp, missing))
            case "linux-cp":
                _merge(result, vpp.pairs)
            case "name":
                same_mac = _same_mac(vpp)
            case "recursive":
                recursive = recursive or unmapped is None
            case "main":
                main = _index(config.main_interface, vpp)
                if main is None:
                    missing.append(str(config.main_interface))
                elif not recursive:
                    unmapped = main
        found_by = dict.fromkeys(result, strategy) | found_by
    return InterfaceMap(result, same_mac, unmapped, recursive, tuple(missing), found_by)


def _same_mac(vpp: VppInterfaces) -> dict[str, tuple[int, bytes]]:
    """A name alone is no evidence: ``create tap`` gives both ends the same one."""
    return {
        name: (vpp.by_name[name], address)
        for name, address in vpp.addresses.items()
        if name not in vpp.taps
    }


def _merge(result: dict[str, int], more: Mapping[str, int]) -> None:
    for name, sw_if_index in more.items():
        result.setdefault(name, sw_if_index)


def _explicit(
    wanted: Mapping[str, str | int], vpp: VppInterfaces, missing: list[str]
) -> dict[str, int]:
    found: dict[str, int] = {}
    for linux, name in wanted.items():
        index = _index(name, vpp)
        if index is None:
            missing.append(str(name))
        else:
            found[linux] = index
    return found


def _index(name: str | int | None, vpp: VppInterfaces) -> int | None:
    if name is None:
        raise VppError("vpp.interfaces.main_interface is not set, but its strategy is in use")
    if isinstance(name, int):
        return name if name in vpp.by_name.values() else None
    return vpp.by_name.get(name)
