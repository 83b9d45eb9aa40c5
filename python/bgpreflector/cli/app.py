"""The command line's root: commands, errors, exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import NoReturn

import click
from click.exceptions import Exit

from bgpreflector.errors import ReflectorError

from .command_group import CommandGroup
from .exit_codes import ExitCode, exit_code
from .output import OUTPUT_FAILS, json_asked, leave, say, say_error

_COMMANDS = {
    "run": "run",
    "demo": "demo",
    "simulate": "simulate",
    "check": "check",
    "doctor": "doctor",
    "plan": "audit",
    "audit": "audit",
    "flush": "flush",
    "status": "status",
    "monitor": "monitor",
    "resync": "control_commands",
    "pause": "control_commands",
    "resume": "control_commands",
    "release": "control_commands",
    "reload": "control_commands",
    "show": "show",
}
"""The module of every command, in the help's order."""

_WRITERS = ("click", "rich")
"""Packages that write to standard output and error."""


def command_line(only: str | None = None) -> click.Group:
    """The command line: with all commands, or with one of them, whose module alone is loaded."""
    program = CommandGroup(
        "bgpreflector",
        help="Reflects the routes that a BGP daemon put into the Linux kernel into FD.io VPP.",
        params=[
            _ends("--version", "-V", callback=_version, text="Show the version and exit."),
            _ends(
                "--install-completion",
                callback=_install_completion,
                text="Install completion for the current shell.",
            ),
            _ends(
                "--show-completion",
                callback=_show_completion,
                text="Show completion for the current shell, to copy it or customize the "
                "installation.",
            ),
        ],
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in (only,) if only in _COMMANDS else _COMMANDS:
        program.add_command(_loaded(name), name)
    return program


def _loaded(name: str) -> click.Command:
    loaded: click.Command = getattr(import_module(f".{_COMMANDS[name]}", __package__), name)
    return loaded


def _ends(*names: str, callback: Callable[[], None], text: str) -> click.Option:
    """An option that does something in place of a command; ``text`` is its help."""

    def when_given(context: click.Context, _: click.Parameter, given: bool) -> None:
        if given and not context.resilient_parsing:
            callback()
            raise Exit

    return click.Option(
        names, is_flag=True, is_eager=True, expose_value=False, callback=when_given, help=text
    )


def _version() -> None:
    # As slow to load as all that `status` needs.
    from importlib.metadata import version  # noqa: PLC0415 - see above

    say(f"bgpreflector {version('bgpreflector')}")


def _show_completion() -> None:
    from .completion_scripts import SCRIPTS, current_shell  # noqa: PLC0415 - seldom used

    say(SCRIPTS[current_shell()].rstrip())


def _install_completion() -> None:
    from .completion_scripts import current_shell, install  # noqa: PLC0415 - seldom used

    shell = current_shell()
    say(f"{shell} completion installed in {install(shell)}")
    say("Completion will take effect once you restart the terminal")


def _wrong(usage: click.ClickException) -> NoReturn:
    if json_asked():
        say_error(usage.format_message(), usage.exit_code)
    else:
        usage.show()
    leave(usage.exit_code)


def _is_of_output(error: OSError) -> bool:
    """Whether it is of standard output or error, and not of a file that a command writes."""
    raised = error.__traceback__
    while raised is not None and raised.tb_next is not None:
        raised = raised.tb_next
    module = "" if raised is None else str(raised.tb_frame.f_globals.get("__name__"))
    writes = module == say.__module__ or module.partition(".")[0] in _WRITERS
    return writes and error.errno in OUTPUT_FAILS


def main() -> None:
    """Run the command line; errors become one message and an exit code."""
    try:
        code = command_line(next(iter(sys.argv[1:]), None))(standalone_mode=False)
    except click.ClickException as wrong:
        _wrong(wrong)
    except ReflectorError as error:
        code = exit_code(error)
        say_error(str(error), code)
        leave(code)
    except (KeyboardInterrupt, click.Abort):
        leave(ExitCode.FAILURE)
    except OSError as error:
        if not _is_of_output(error):
            raise
        say_error(f"the output cannot be written: {error.strerror}")
        leave(ExitCode.FAILURE)
    except SystemExit as end:
        leave(end.code)
    leave(code or ExitCode.OK)
