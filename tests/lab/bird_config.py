"""BIRD's configuration, generated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .prefixes import Family


@dataclass(frozen=True)
class Session:
    """A BGP session to a neighbour on a shared link; of the family of the neighbour's address."""

    local: str
    neighbour: str
    local_as: int
    neighbour_as: int
    next_hop_self: bool = False
    """Whether routes are announced with our own address as next hop, not the static route's."""

    @property
    def family(self) -> Family:
        """The IP version, 4 or 6."""
        return _family(self.neighbour)


@dataclass(frozen=True)
class BirdConfig:
    """What one BIRD does.

    ``routes`` are static routes: by next hop, the prefixes that go there. The same prefix under
    several next hops is announced with ADD-PATH.
    """

    router_id: str
    sessions: Sequence[Session]
    install: bool = False
    """Whether BGP's routes go into the namespace's main kernel table (protocol 12)."""
    routes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    more: str = ""
    """Further configuration in BIRD's syntax."""

    def write(self, directory: Path) -> Path:
        """Writes ``bird.conf`` and the routes it includes; returns the former's path."""
        texts = [
            f'log "{directory / "bird.log"}" all;',
            f"router id {self.router_id};",
            "protocol device { scan time 10; }",
        ]
        if self.install:
            texts += [_kernel(family) for family in (4, 6)]
        texts += [
            self._static(f"static{family}_{number}", next_hop, directory)
            for family in (4, 6)
            for number, next_hop in enumerate(self._next_hops(family))
        ]
        texts += [_bgp(session, self._name(number)) for number, session in enumerate(self.sessions)]
        texts.append(self.more)
        path = directory / "bird.conf"
        path.write_text("\n".join(texts) + "\n")
        return path

    def _name(self, number: int) -> str:
        """``bgp4`` and ``bgp6``; the second session of a family is ``bgp4_2``."""
        family = self.sessions[number].family
        nth = sum(session.family == family for session in self.sessions[: number + 1])
        return f"bgp{family}" if nth == 1 else f"bgp{family}_{nth}"

    def _next_hops(self, family: Family) -> list[str]:
        return [next_hop for next_hop in self.routes if _family(next_hop) == family]

    def _static(self, name: str, next_hop: str, directory: Path) -> str:
        # Not named by the next hop: a protocol that stays announces a changed route again, and one
        # that goes would withdraw its routes before another announces them.
        included = directory / f"{name}.conf"
        included.write_text(
            "".join(f"route {prefix} via {next_hop};\n" for prefix in self.routes[next_hop])
        )
        return f"""protocol static {name} {{
  ipv{_family(next_hop)};
  include "{included}";
}}"""


def _family(address: str) -> Family:
    return 6 if ":" in address else 4


def _kernel(family: Family) -> str:
    return f"""protocol kernel kernel{family} {{
  merge paths on;
  scan time 10;
  ipv{family} {{ import none; export where source = RTS_BGP; }};
}}"""


def _bgp(session: Session, name: str) -> str:
    # Short times, so that no test waits for BIRD's patience; the next hop is the static route's.
    next_hop = "\n    next hop self;" if session.next_hop_self else ""
    gateway = "" if session.next_hop_self else "\n      bgp_next_hop = gw;"
    return f"""protocol bgp {name} {{
  local {session.local} as {session.local_as};
  neighbor {session.neighbour} as {session.neighbour_as};
  connect delay time 1;
  connect retry time 1;
  error wait time 1, 1;
  ipv{session.family} {{
    add paths on;{next_hop}
    import all;
    export filter {{
      if source != RTS_STATIC then reject;{gateway}
      accept;
    }};
  }};
}}"""
