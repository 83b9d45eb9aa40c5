"""The command line's root: commands, errors, exit codes."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, NoReturn

import typer
from typer.exceptions import TyperException

from bgpreflector.errors import ReflectorError

from .exit_codes import ExitCode, exit_code
from .output import OUTPUT_FAILS, json_asked, leave, say, say_error

_COMMANDS: dict[str, tuple[str, str | None]] = {
    "run": ("run", None),
    "demo": ("demo", "Show it all without a VPP."),
    "simulate": ("simulate", None),
    "check": ("check", None),
    "doctor": ("doctor", "Find what stands in the way, and change nothing."),
    "plan": ("audit", "Print what a run would change in VPP now."),
    "audit": ("audit", "List what differs between kernel and VPP."),
    "flush": ("flush", "Delete all our routes from VPP."),
    "status": ("status", None),
    "monitor": ("monitor", None),
    "resync": ("control_commands", "Have the daemon put right what differs."),
    "pause": ("control_commands", "Have VPP sent no routes until `resume`."),
    "resume": ("control_commands", "End a pause, or let deletions through."),
    "release": ("control_commands", "Let in routes again that VPP ended over."),
    "reload": ("control_commands", "Have the daemon read its configuration again."),
}
"""Module and short help of every command, in the help's order; :data:`_GROUP` comes last."""

_GROUP = "show"


def command_line(only: str | None = None) -> typer.Typer:
    """The command line: with all commands, or with one of them, whose module alone is loaded."""
    app = typer.Typer(
        name="bgpreflector",
        help="Reflects the routes that a BGP daemon put into the Linux kernel into FD.io VPP.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        # Boxes break paths and sentences in the middle, and name Python's types.
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    known = only in _COMMANDS or only == _GROUP
    for name, (module, short_help) in _COMMANDS.items():
        if not known or name == only:
            app.command(short_help=short_help)(_loaded(module, name))
    if not known or only == _GROUP:
        app.add_typer(_loaded(_GROUP, _GROUP), name=_GROUP)
    return app


def _loaded(module: str, name: str) -> Any:
    return getattr(import_module(f".{module}", __package__), name)


def _version(show: bool) -> None:
    if show:
        # As slow to load as all that `status` needs.
        from importlib.metadata import version  # noqa: PLC0415 - see above

        say(f"bgpreflector {version('bgpreflector')}")
        raise typer.Exit


def _root(
    _: bool = typer.Option(
        False,
        "--version",
        "-V",
        callback=_version,
        is_eager=True,
        help="Show the version and exit.",
    ),
) -> None:
    pass


def _parser() -> Any:
    """The command line, whose help says nothing of Python's types."""
    root: Any = typer.main.get_command(command_line(next(iter(sys.argv[1:]), None)))
    left = [root]
    while left:
        command = left.pop()
        left += getattr(command, "commands", {}).values()
        for one in command.params:
            if one.param_type_name == "argument":
                one.display_type_rich = lambda **_: ""
    return root


def _wrong(usage: Any) -> NoReturn:
    """End for a wrong command line: typer's own error, of which it exports only some."""
    code = getattr(usage, "exit_code", ExitCode.FAILURE)
    if json_asked():
        say_error(usage.format_message(), code)
    else:
        usage.show()
    leave(code)


def main() -> None:
    """Run the command line; errors become one message and an exit code."""
    try:
        code = _parser()(standalone_mode=False)
    except TyperException as wrong:
        _wrong(wrong)
    except ReflectorError as error:
        code = exit_code(error)
        say_error(str(error), code)
        leave(code)
    except KeyboardInterrupt:
        leave(ExitCode.FAILURE)
    except OSError as error:
        if error.errno not in OUTPUT_FAILS:
            raise
        say_error(f"what there is to say cannot be written: {error.strerror}")
        leave(ExitCode.FAILURE)
    except SystemExit as end:
        leave(end.code)
    leave(code or ExitCode.OK)
