"""The demonstration: a real kernel's routes into the embedded VPP, seen to be right."""

from .story import DemoResult, run_demo
from .world import enter_namespace

__all__ = ["DemoResult", "enter_namespace", "run_demo"]
