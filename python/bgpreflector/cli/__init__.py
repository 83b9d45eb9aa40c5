"""The command line."""

import os
import signal
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; errors become one message and an exit code."""
    if "_BGPREFLECTOR_COMPLETE" in os.environ:
        from .completion import complete  # noqa: PLC0415 - before what takes long to import

        if complete():
            return
    if sys.argv[1:2] == ["run"]:
        # Before the imports, which take a while: what is to be read again has not been read yet,
        # and by default the signal ends the process, which systemd takes for a clean end.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from .output import open_standard  # noqa: PLC0415 - see above

    open_standard()
    from .app import main as run_app  # noqa: PLC0415 - see above

    run_app()
