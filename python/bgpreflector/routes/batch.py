"""What is common to all who take batches of the engine."""

from __future__ import annotations

NO_LIMIT = 0xFFFFFFFF
"""The limit of a batch that takes everything dirty."""
