"""Diagnose the kernel, the BGP daemon, VPP and the configuration."""

from .checkup import SCHEMA, check_up
from .finding import Finding, Severity

__all__ = ["SCHEMA", "Finding", "Severity", "check_up"]
