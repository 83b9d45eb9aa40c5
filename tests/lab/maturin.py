"""maturin, one at a time."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

MATURIN = ("flock", str(ROOT / "target" / "maturin.lock"), sys.executable, "-m", "maturin")
"""Command. It keeps the library of a wheel in one file below ``target``, whatever the profile: two
that build at the same time would take each other's."""
