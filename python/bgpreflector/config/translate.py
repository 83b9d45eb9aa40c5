"""From the keys of a file, Contiv's names among them, to the keys of the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bgpreflector.rtnetlink import RT_TABLE_MAIN

from .errors import Problem
from .values import kernel_table

Path = tuple[str, ...]

USE_EXTERNAL_IPAM: Path = ("use_external_ipam",)
MAIN_TABLE: Path = ("vpp", "tables", "main")
MAIN_INTERFACE: Path = ("vpp", "interfaces", "main_interface")

CONTIV_NAMES: Mapping[str, Path] = {
    "useExternalIPAM": USE_EXTERNAL_IPAM,
    "mainVRFID": MAIN_TABLE,
    "mainInterfaceName": MAIN_INTERFACE,
}
"""Contiv's names that a TOML file may have at its top, and what they mean."""


@dataclass
class Draft:
    """Values by the model's keys, and how the keys are written in the file."""

    values: dict[str, object] = field(default_factory=dict)
    written: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def set(self, path: Path, value: object, written: str) -> None:
        """Set the value at ``path``, which the file calls ``written``, unless it is given."""
        section = self.values
        for key in path[:-1]:
            inner = section.setdefault(key, {})
            if not isinstance(inner, dict):
                return
            section = inner
        for other in section:
            if _same(path, other):
                other_key = ".".join((*path[:-1], other))
                message = f"says the same as {other_key}, which is given too; keep one of them"
                self.problems.append(Problem(written, message, value))
                return
        section[path[-1]] = value
        self.written[path] = written


def from_toml(data: Mapping[str, object]) -> Draft:
    """Translate a parsed TOML file."""
    own = {key: _copied(value) for key, value in data.items() if key not in CONTIV_NAMES}
    draft = Draft(own)
    for name, path in CONTIV_NAMES.items():
        if name in data:
            draft.set(path, data[name], name)
    return draft


def from_contiv(data: Mapping[object, object], node_name: str) -> Draft:
    """Translate a parsed contiv.conf, as it is for the node of that name.

    What is unknown here is not wrong but listed in ``ignored``. As in Contiv,
    ``useExternalIPAM`` is false where it is not mentioned.
    """
    draft = Draft()
    for written, value in _leaves(data):
        if written == "ipamConfig.useExternalIPAM":
            draft.set(USE_EXTERNAL_IPAM, value, written)
        elif written == "mainVRFID":
            draft.set(MAIN_TABLE, value, written)
        elif written == _main_interface_key(data, node_name):
            draft.set(MAIN_INTERFACE, value, written)
        else:
            draft.ignored.append(written)
    draft.values.setdefault(USE_EXTERNAL_IPAM[0], False)
    return draft


def _main_interface_key(data: Mapping[object, object], node_name: str) -> str | None:
    nodes = data.get("nodeConfig")
    for index, node in enumerate(nodes if isinstance(nodes, list) else ()):
        if isinstance(node, Mapping) and node.get("nodeName") == node_name:
            return f"nodeConfig[{index}].mainVPPInterface.interfaceName"
    return None


def _leaves(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Everything that is no section and no list of sections, with its dotted key."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{key}[{index}]")
    else:
        yield key, value


def _same(path: Path, other: str) -> bool:
    if path != MAIN_TABLE:
        return path[-1] == other
    try:
        return kernel_table(other) == RT_TABLE_MAIN
    except ValueError:
        return False


def _copied(value: object) -> object:
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return value
