"""The demonstration: a real kernel's routes into the embedded VPP, seen to be right."""

from .kernel import enter_namespace
from .scenario import DemoResult, run_demo

__all__ = ["DemoResult", "enter_namespace", "run_demo"]
