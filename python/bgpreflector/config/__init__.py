"""The configuration: one TOML file, or what concerns us of a Contiv ``contiv.conf``.

:func:`load` returns a read-only :class:`Config` or raises :class:`ConfigError` with all
problems at once. ``Config()`` is the default configuration.
"""

from .control import ControlConfig
from .controller import ControllerConfig
from .environment import with_environment
from .errors import ConfigError, Problem
from .kernel import KernelConfig
from .load import CONTIV_SUFFIXES, load, loads, loads_contiv
from .log import LogConfig
from .metrics import Address, MetricsConfig
from .root import Config
from .source import FRR_PROTOCOLS, FpmConfig, SourceConfig
from .vpp import (
    Fallback,
    FibSourceConfig,
    GuardConfig,
    InterfacesConfig,
    PartlyMapped,
    Strategy,
    VppConfig,
)

__all__ = [
    "CONTIV_SUFFIXES",
    "FRR_PROTOCOLS",
    "Address",
    "Config",
    "ConfigError",
    "ControlConfig",
    "ControllerConfig",
    "Fallback",
    "FibSourceConfig",
    "FpmConfig",
    "GuardConfig",
    "InterfacesConfig",
    "KernelConfig",
    "LogConfig",
    "MetricsConfig",
    "PartlyMapped",
    "Problem",
    "SourceConfig",
    "Strategy",
    "VppConfig",
    "load",
    "loads",
    "loads_contiv",
    "with_environment",
]
