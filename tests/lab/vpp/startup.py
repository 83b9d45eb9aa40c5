"""VPP's startup.conf, generated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Startup:
    """A VPP without huge pages, DPDK and PCI devices: pages of 4 KiB, memory taken as it is used.

    Sizes are VPP's (``512M``, ``3G``). Every route takes of both: with too little of either, VPP
    aborts. The defaults hold a few hundred thousand routes.
    """

    heap: str = "2G"
    statseg: str = "1G"
    plugins: Sequence[str] = ("af_packet_plugin.so",)
    """The plugins that are loaded; all others are not."""

    sleep: int = 100
    """Microseconds of sleep between polls; 0 as where packets are forwarded, at the price of a
    processor."""

    def write(self, directory: Path, name: str) -> Path:
        """Writes ``startup.conf`` and returns its path; every socket is made beside it.

        ``name`` sets this VPP's shared memory apart from any other's on the machine.
        """
        enabled = "".join(f"  plugin {plugin} {{ enable }}\n" for plugin in self.plugins)
        path = directory / "startup.conf"
        path.write_text(f"""unix {{
  nodaemon
  nosyslog
  runtime-dir {directory}
  cli-listen {directory}/cli.sock
  log {directory}/vpp.log
  poll-sleep-usec {self.sleep}
}}
api-segment {{ prefix {name} }}
socksvr {{ socket-name {directory}/api.sock }}
memory {{ main-heap-size {self.heap} main-heap-page-size 4k }}
statseg {{ size {self.statseg} page-size 4k socket-name {directory}/stats.sock }}
buffers {{ page-size 4k buffers-per-numa 8192 }}
plugins {{
  plugin default {{ disable }}
{enabled}}}
""")
        return path
