"""systemd's journal as standard error (:manpage:`sd-daemon(3)`, :manpage:`systemd.exec(5)`)."""

from __future__ import annotations

import logging
import os
import sys

import structlog

STREAM = "JOURNAL_STREAM"
"""Environment variable: device and inode of the journal's stream, ``DEVICE:INODE``."""

_PRIORITIES = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
)
_DEBUG = 7


def is_journal() -> bool:
    """Whether standard error leads to the journal: a process that is redirected inherits the
    variable, and not the stream."""
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return os.environ.get(STREAM) == f"{found.st_dev}:{found.st_ino}"


class JournalFormatter(structlog.stdlib.ProcessorFormatter):
    """Puts the priority before each line (``<6>``), as the journal reads them one by one."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's lines."""
        prefix = f"<{_priority(record.levelno)}>"
        return "\n".join(f"{prefix}{line}" for line in super().format(record).split("\n"))


def _priority(level: int) -> int:
    return next((priority for least, priority in _PRIORITIES if level >= least), _DEBUG)
