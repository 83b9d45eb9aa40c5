"""Logging set up for the command line."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from typing import TextIO

import structlog

from bgpreflector import _core
from bgpreflector.config import LogConfig
from bgpreflector.log_fields import KEY

from .journal import JournalFormatter, is_journal

TRACEBACK = 4000
"""Characters of a log entry's traceback."""

FRAMES = 20
"""Of each error: the innermost."""


def _pass_on(record: tuple[int, str, str, dict[str, bool | int | float | str]]) -> None:
    level, name, message, values = record
    extra = {KEY: values} if values else None
    logging.getLogger(name.replace("_", ".", 1)).log(level, "%s", message, extra=extra)


def _forward() -> None:
    while (record := _core.next_log_record(wait=True)) is not None:
        _pass_on(record)


def flush_logs() -> None:
    """Pass on what the compiled module has logged so far, before the end."""
    while (record := _core.next_log_record(wait=False)) is not None:
        _pass_on(record)


class _StandardError(logging.StreamHandler[TextIO]):
    """Whatever is standard error at the moment: a progress bar puts itself before it."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def bounded_traceback(exc_info: structlog.typing.ExcInfo) -> str:
    """A traceback of at most :data:`TRACEBACK` characters: its two ends where it is longer.

    Without the local variables, which hold whatever there is, and of any size.
    """
    text = "".join(traceback.format_exception(*exc_info, limit=-FRAMES)).rstrip("\n")
    if len(text) <= TRACEBACK:
        return text
    half = TRACEBACK // 2
    return f"{text[:half]}\n... {len(text) - 2 * half} characters ...\n{text[-half:]}"


def _write_traceback(stream: TextIO, error: structlog.typing.ExcInfo) -> None:
    stream.write("\n" + bounded_traceback(error))


def _without_fields(
    _: object, __: str, entry: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """For people, whom the sentence tells the same."""
    entry.pop(KEY, None)
    return entry


def _fields_alone(
    _: object, __: str, entry: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """For programs, which do not read sentences."""
    found = entry.pop(KEY, None)
    if found is not None:
        entry |= found
    return entry


def configure_logging(config: LogConfig) -> None:
    """Send all records to standard error, as lines for people or as JSON.

    Those of the compiled module too, through a thread of their own. Once.
    """
    set_log(config)
    threading.Thread(target=_forward, name="native-logs", daemon=True).start()


def set_log(config: LogConfig) -> None:
    """Change the level and the format, at any time."""
    journal = is_journal()
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
    ]
    if config.format == "json" or not journal:
        # The journal has both itself.
        shared[:0] = [
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ]
    renderer: structlog.typing.Processor
    if config.format == "json":
        shared += [_fields_alone, structlog.processors.ExceptionRenderer(bounded_traceback)]
        renderer = structlog.processors.JSONRenderer()
    else:
        shared.append(_without_fields)
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=_write_traceback
        )
    handler = _StandardError()
    formatter = JournalFormatter if journal else structlog.stdlib.ProcessorFormatter
    handler.setFormatter(
        formatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(config.level.upper())
    # vpp_papi tells at info level of every event and connection.
    logging.getLogger("vpp_papi").setLevel(logging.WARNING)
    _core.init_logging(root.level)
