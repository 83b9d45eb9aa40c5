"""Groups of commands."""

from __future__ import annotations

import click


class CommandGroup(click.Group):
    """Commands whose help is in the order in which they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """The names, not sorted."""
        return list(self.commands)
