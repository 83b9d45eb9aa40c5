"""The configuration as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from .control import ControlConfig
from .controller import ControllerConfig
from .handlers import HandlersConfig
from .kernel import KernelConfig
from .log import LogConfig
from .metrics import MetricsConfig
from .section import Section
from .source import FRR_PROTOCOLS, FpmConfig, SourceConfig
from .values import StrictBool
from .vpp import VppConfig

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Config(Section):
    """The configuration of bgpreflector. Every key has a default."""

    use_external_ipam: StrictBool = Field(
        default=True,
        description="Whether routes are reflected at all. Contiv's useExternalIPAM, whose "
        "default in a contiv.conf is false.",
    )
    source: SourceConfig = Field(default_factory=SourceConfig, description="Source of the routes.")
    fpm: FpmConfig = Field(
        default_factory=FpmConfig,
        description="FPM: where FRR's zebra connects, if it is the source.",
    )
    kernel: KernelConfig = Field(
        default_factory=KernelConfig, description="Which routes are read, and how."
    )
    vpp: VppConfig = Field(
        default_factory=VppConfig, description="How to reach VPP and what to program."
    )
    controller: ControllerConfig = Field(
        default_factory=ControllerConfig, description="Retries and resyncs."
    )
    handlers: HandlersConfig = Field(
        default_factory=HandlersConfig, description="Event handlers of other packages."
    )
    log: LogConfig = Field(default_factory=LogConfig, description="Logging.")
    control: ControlConfig = Field(
        default_factory=ControlConfig, description="Control socket and instance lock."
    )
    metrics: MetricsConfig = Field(
        default_factory=MetricsConfig, description="Prometheus metrics and probes over HTTP."
    )

    _ignored: tuple[str, ...] = PrivateAttr(default=())

    @property
    def ignored(self) -> tuple[str, ...]:
        """Ignored keys of a Contiv file, dotted; empty for a TOML file."""
        return self._ignored

    def ignoring(self, keys: Iterable[str]) -> Config:
        """The same configuration with that list of ignored keys."""
        copy = self.model_copy()
        copy._ignored = tuple(keys)  # noqa: SLF001 - our own
        return copy

    @property
    def table_map(self) -> Mapping[int, int]:
        """The configured kernel tables, and the VPP table of each."""
        return {table: self.vpp.tables[table] for table in self.kernel.tables}

    @property
    def further_tables(self) -> Mapping[int, int]:
        """The VPP tables of discovered kernel tables (``kernel.discover``)."""
        return {k: vpp for k, vpp in self.vpp.tables.items() if k not in self.kernel.tables}

    @property
    def free_tables(self) -> tuple[int, int] | None:
        """``vpp.free_tables``, the last as well."""
        return self.vpp.free_tables

    @property
    def is_fpm(self) -> bool:
        """Whether zebra is the source of the routes."""
        return self.source.kind == "fpm"

    @property
    def vpp_tables(self) -> list[tuple[int, bool]]:
        """The configured VPP tables: id, whether IPv6."""
        families = self.kernel.families
        return [(t, family == "ipv6") for t in self.table_map.values() for family in families]

    @field_validator("kernel")
    @classmethod
    def _has_protocols_of_source(cls, kernel: KernelConfig, info: ValidationInfo) -> KernelConfig:
        source = info.data.get("source")
        if source is None or source.kind != "fpm" or "protocols" in kernel.model_fields_set:
            return kernel
        return kernel.model_copy(update={"protocols": FRR_PROTOCOLS})

    @field_validator("vpp")
    @classmethod
    def _has_every_table(cls, vpp: VppConfig, info: ValidationInfo) -> VppConfig:
        kernel = info.data.get("kernel")
        if kernel is None:
            return vpp
        owner: dict[int, int] = {}
        for table in kernel.tables:
            target = vpp.tables.get(table)
            if target is None:
                raise _tables_error(
                    f"must say into which VPP table kernel table {table}, which is in "
                    f"kernel.tables, goes; for instance {table} = {table}"
                )
            if target in owner:
                raise _tables_error(
                    f"must not send two kernel tables, {owner[target]} and {table}, into "
                    f"VPP table {target}: their routes would replace each other"
                )
            owner[target] = table
        return vpp


def _tables_error(message: str) -> PydanticCustomError:
    return PydanticCustomError("tables", "{error}", {"error": message, "key": "vpp.tables"})
