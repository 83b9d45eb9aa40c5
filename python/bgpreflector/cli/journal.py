"""systemd's journal as standard error (:manpage:`sd-daemon(3)`, :manpage:`systemd.exec(5)`)."""

from __future__ import annotations

import logging
import os
import sys
from logging.handlers import SysLogHandler

import structlog

STREAM = "JOURNAL_STREAM"
"""Environment variable: device and inode of the journal's stream, ``DEVICE:INODE``."""


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
        prefix = f"<{_priority(record)}>"
        return "\n".join(f"{prefix}{line}" for line in super().format(record).split("\n"))


def _priority(record: logging.LogRecord) -> int:
    """syslog's, as the standard library maps levels to them."""
    return SysLogHandler.priority_names[SysLogHandler.priority_map.get(record.levelname, "debug")]
