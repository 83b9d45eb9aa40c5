"""``bgpreflector monitor``: a live view of a running daemon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from bgpreflector.errors import ControlError, RefusedByDaemonError

from . import options
from .daemon import daemon_at
from .keys import Keys, keys
from .monitor_view import View, screen
from .output import plain, reader_has_gone, say_rows

SCHEMA = 1
"""Version of the JSON lines; it grows when a field changes its meaning or goes."""

MAX_FIRST_INTERVAL = 0.25
"""The most seconds that the first sample takes, so that it has rates."""


@click.command(short_help="Show a live view: state, rates, queues and the last changes.")
@options.config_file
@options.control_socket
@click.option(
    "--interval",
    type=click.FloatRange(0.05, 3600),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Seconds between two samples.",
)
@click.option(
    "--count",
    type=click.IntRange(min=1),
    metavar="N",
    help="Exit after N samples. Default: never.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a sample.")
def monitor(
    config: Path | None, control: Path | None, interval: float, count: int | None, as_json: bool
) -> None:
    """Show a live view: state, rates, queues and the last changes; q quits.

    Where the output is no terminal, a line is printed for each sample. A daemon that is restarted
    is connected to again.
    """
    console = Console(highlight=False, soft_wrap=True)
    with keys(wanted=console.is_terminal and not as_json) as pressed:
        samples = _Samples(control, config, interval, count, pressed)
        if as_json:
            say_rows(SCHEMA, (view.as_object() for view in samples), flush=True)
        elif console.is_terminal:
            _draw(console, samples)
        else:
            for view in samples:
                console.print(Text(plain(view.line())))
    if samples.exhausted and samples.view.error is not None:
        raise ControlError(samples.view.error)


def _draw(console: Console, samples: _Samples) -> None:
    unicode = console.encoding.lower().startswith("utf")
    with Live(console=console, screen=False, auto_refresh=False) as live:
        for view in samples:
            drawn = screen(view, samples.socket_path, keys=samples.keys.available, unicode=unicode)
            live.update(drawn, refresh=True)


class _Samples:
    """Samples of the daemon that runs, until the key, the count or the reader ends them."""

    def __init__(
        self,
        control: Path | None,
        config: Path | None,
        interval: float,
        count: int | None,
        pressed: Keys,
    ) -> None:
        self._control, self._config = control, config
        self._interval, self._left = interval, count
        self.keys = pressed
        self.view = View()
        self.socket_path = ""
        """The daemon's control socket."""

    @property
    def exhausted(self) -> bool:
        """Whether all that were asked for are done."""
        return self._left == 0

    def __iter__(self) -> Iterator[View]:
        """The view after each sample. Raises :class:`ControlError` where the first one fails."""
        more = True
        while more:
            try:
                with daemon_at(self._control, self._config) as daemon:
                    self.socket_path = str(daemon.path)
                    self.view.begin(daemon)
                    more = not self.keys.quit_within(min(MAX_FIRST_INTERVAL, self._interval))
                    while more:
                        self.view.sample(daemon)
                        yield self.view
                        more = self._continues()
            except RefusedByDaemonError:
                raise
            except ControlError as error:
                if self.view.report is None:
                    raise
                self.view.lost(str(error))
                yield self.view
                more = self._continues()

    def _continues(self) -> bool:
        if self._left is not None:
            self._left -= 1
        if self._left == 0 or reader_has_gone():
            return False
        return not self.keys.quit_within(self._interval)
