"""Standard output and error where they are full, closed, or show text from outside."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NoReturn

import click

from .exit_codes import ExitCode

OUTPUT_FAILS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.EPIPE)
"""What a write to a full disk, a terminal that has gone and the like fails with."""

STANDARD = (0, 1, 2)

SCHEMA = 1
"""Version of an error's object; it grows when a field changes its meaning or goes."""


def open_standard() -> None:
    """Open ``/dev/null`` for standard input, output and error where they are closed.

    Otherwise the next socket, VPP's for instance, has that number, and receives the output.
    """
    for number in STANDARD:
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free is this one.
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def plain(text: str) -> str:
    """Text from outside with what a terminal would obey made visible."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in "\n\t" else ascii(char)[1:-1] for char in text
    )


_gone = False


def reader_has_gone() -> bool:
    """Whether standard output has lost its reader, as behind ``| head -1``."""
    return _gone


def say(text: str, *, err: bool = False, bold: bool = False, flush: bool = True) -> None:
    """A line for people, or of JSON: names and reasons in it may come from anywhere.

    Without ``flush`` it may wait for the next ones: a list may have a million lines.
    Output without a reader is no failure: the exit status is that of the command.
    """
    global _gone  # noqa: PLW0603 - there is one standard output
    try:
        if flush:
            click.secho(plain(text), err=err, bold=bold or None)
        else:
            sys.stdout.write(f"{plain(text)}\n")
    except BrokenPipeError:
        if err:
            raise
        _gone = True
        _discard(1)


def say_json(found: Mapping[str, object], *, flush: bool = True) -> None:
    """One object."""
    say(json.dumps(found), flush=flush)


def say_rows(schema: int, rows: Iterable[Mapping[str, object]], *, flush: bool = False) -> None:
    """Every row as an object on a line of its own, with the version of its fields.

    ``flush``: each is to be seen before the next one is known.
    """
    for row in rows:
        if reader_has_gone():
            return
        say_json({"schema": schema, **row}, flush=flush)


def json_asked() -> bool:
    """Whether the command line asks for what is meant for programs."""
    return "--json" in sys.argv[1:]


def say_error(message: str, code: int = ExitCode.FAILURE) -> None:
    """On standard error, if that can be written: one object where JSON is asked for."""
    try:
        if json_asked():
            error = {"exit_code": int(code), "message": message}
            say(json.dumps({"schema": SCHEMA, "error": error}), err=True)
            return
        click.secho("error: ", fg="red", bold=True, nl=False, err=True)
        say(message, err=True)
    except OSError:
        _discard(2)


def leave(code: object) -> NoReturn:
    """End with a code once the output is written; if it cannot be, with a failure."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard(1)
    except OSError as error:
        _discard(1)
        say_error(f"the output cannot be written: {error.strerror}")
        code = code or ExitCode.FAILURE
    try:
        sys.stderr.flush()
    except OSError:
        _discard(2)
    sys.exit(code if isinstance(code, int | str | None) else ExitCode.FAILURE)


def _discard(number: int) -> None:
    """What is still in the buffer would fail again at the very end, with a traceback."""
    with Path(os.devnull).open("wb") as null:
        os.dup2(null.fileno(), number)
