"""The command line's root: commands, errors, exit codes."""

from __future__ import annotations

from importlib.metadata import version

import typer

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
from .output import OUTPUT_FAILS, leave, say, say_error
from .run import run
from .show import show
from .simulate import simulate
from .status import status

app = typer.Typer(
    name="bgpreflector",
    help="Reflects the routes that a BGP daemon put into the Linux kernel into FD.io VPP.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(run)
app.command()(demo)
app.command()(simulate)
app.command()(check)
app.command()(doctor)
app.command()(plan)
app.command()(audit)
app.command()(flush)
app.command()(status)
app.command()(monitor)
app.command()(resync)
app.command()(pause)
app.command()(resume)
app.command()(release)
app.command()(reload)
app.add_typer(show, name="show")


def _version(show: bool) -> None:
    if show:
        say(f"bgpreflector {version('bgpreflector')}")
        raise typer.Exit


@app.callback()
def _root(
    _: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    pass


def main() -> None:
    """Run the command line; errors become one message and an exit code."""
    try:
        app()
    except (ReflectorError, FatalError) as error:
        say_error(str(error))
        leave(exit_code(error))
    except KeyboardInterrupt:
        leave(ExitCode.FAILURE)
    except OSError as error:
        if error.errno not in OUTPUT_FAILS:
            raise
        say_error(f"what there is to say cannot be written: {error.strerror}")
        leave(ExitCode.FAILURE)
    except SystemExit as end:
        leave(end.code)
    leave(ExitCode.OK)
