"""The command line's root: commands, errors, exit codes."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, NoReturn

import typer
from typer.exceptions import TyperException

from bgpreflector.controller import FatalError
from bgpreflector.errors import ReflectorError

from .audit import audit, plan
from .check import check
from .control_commands import pause, release, reload, resume, resync
from .demo import demo
from .doctor import doctor
from .exit_codes import ExitCode, exit_code
from .flush import flush
from .monitor import monitor
from .output import OUTPUT_FAILS, json_asked, leave, say, say_error
from .run import run
from .show import show
from .simulate import simulate
from .status import status

app = typer.Typer(
    name="bgpreflector",
    help="Reflects the routes that a BGP daemon put into the Linux kernel into FD.io VPP.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Boxes break paths and sentences in the middle, and name Python's types.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run)
app.command(short_help="Show it all without a VPP.")(demo)
app.command()(simulate)
app.command()(check)
app.command(short_help="Find what stands in the way, and change nothing.")(doctor)
app.command(short_help="Print what a run would change in VPP now.")(plan)
app.command(short_help="List what differs between kernel and VPP.")(audit)
app.command(short_help="Delete all our routes from VPP.")(flush)
app.command()(status)
app.command()(monitor)
app.command(short_help="Have the daemon put right what differs.")(resync)
app.command(short_help="Have VPP sent no routes until `resume`.")(pause)
app.command(short_help="End a pause, or let deletions through.")(resume)
app.command(short_help="Let in routes again that VPP ended over.")(release)
app.command(short_help="Have the daemon read its configuration again.")(reload)
app.add_typer(show, name="show")


def _version(show: bool) -> None:
    if show:
        say(f"bgpreflector {version('bgpreflector')}")
        raise typer.Exit


@app.callback()
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
    root: Any = typer.main.get_command(app)
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
    except (ReflectorError, FatalError) as error:
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
