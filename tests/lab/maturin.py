"""maturin, one at a time."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

MATURIN = ("flock", str(ROOT / "target" / "maturin.lock"), sys.executable, "-m", "maturin")
"""The command, under a lock: maturin copies the library to one file below ``target``, whatever the
profile, so two builds at the same time would take each other's."""
