"""Check the configuration beyond its validity."""

from __future__ import annotations

from collections.abc import Iterator

from bgpreflector.config import Config
from bgpreflector.config.protocols import protocols_text

from .finding import Finding, error, ok, warning

CHECK = "configuration"


def configuration_findings(config: Config) -> Iterator[Finding]:
    """Valid settings that may be unintended."""
    if not config.use_external_ipam:
        yield error(
            CHECK,
            "use_external_ipam",
            "it is false, so nothing is reflected",
            "set use_external_ipam = true (useExternalIPAM: true in a contiv.conf)",
        )
    if config.ignored:
        yield warning(
            CHECK,
            ", ".join(config.ignored),
            "these keys mean nothing here and are ignored",
            "nothing, if the file is Contiv's own; see docs/configuration.md for the keys",
        )
    tables = ", ".join(f"{kernel} to {vpp}" for kernel, vpp in config.table_map.items())
    if config.kernel.discover:
        ranges = config.kernel.model_copy(update={"tables": ()}).tables_text
        tables += f", {ranges} as they appear"
    protocols = protocols_text(config.kernel.protocols)
    yield ok(CHECK, "scope", f"protocols {protocols}; kernel tables to VPP tables: {tables}")
