"""Exit codes of the command line."""

from __future__ import annotations

import os
from enum import IntEnum
from typing import Self

from bgpreflector.errors import (
    ControlError,
    KernelError,
    ReflectorError,
    RefusedByDaemonError,
    VppError,
    WriterError,
)


class ExitCode(IntEnum):
    """What the program's exit status means.

    That of sysexits.h where a supervisor acts on it: a wrong configuration stays wrong however
    often it is started (``RestartPreventExitStatus=`` of the unit), another writer ends some day.
    """

    meaning: str
    """In a sentence, for the manual."""

    def __new__(cls, value: int, meaning: str) -> Self:
        """A code with its meaning."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    OK = 0, "All is well."
    FAILURE = 1, "Something failed that has no code of its own."
    USAGE = 2, "The command line is wrong."
    VPP = 4, "VPP cannot be reached or programmed."
    KERNEL = 5, "The kernel's routes cannot be read."
    DIFFERENT = 6, "Kernel and VPP differ where they should not (demo, audit, status --check)."
    DAEMON = 7, "No daemon answers at the control socket, or the socket cannot be had."
    FINDINGS = 8, "`doctor` found an error."
    BUSY = os.EX_TEMPFAIL, "Another process writes to this VPP under our FIB source."
    CONFIG = os.EX_CONFIG, "The configuration is wrong; systemd does not start it again."


def exit_code(error: BaseException) -> ExitCode:
    """The code that an error ends the program with."""
    if isinstance(error, RefusedByDaemonError):
        return _ANSWERS.get(error.code, ExitCode.FAILURE)
    for kind, code in _CODES.items():
        if isinstance(error, kind):
            return code
    # Not before it takes them: the packages behind them are most of the program.
    from bgpreflector.config import ConfigError  # noqa: PLC0415 - see above
    from bgpreflector.controller import FatalError  # noqa: PLC0415 - see above

    if isinstance(error, FatalError) and error.__cause__ is not None:
        return exit_code(error.__cause__)
    return ExitCode.CONFIG if isinstance(error, ConfigError) else ExitCode.FAILURE


_ANSWERS: dict[str, ExitCode] = {
    "config": ExitCode.CONFIG,
    "vpp": ExitCode.VPP,
    "kernel": ExitCode.KERNEL,
}

_CODES: dict[type[ReflectorError], ExitCode] = {
    VppError: ExitCode.VPP,
    KernelError: ExitCode.KERNEL,
    ControlError: ExitCode.DAEMON,
    WriterError: ExitCode.BUSY,
}
