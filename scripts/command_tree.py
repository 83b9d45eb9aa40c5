"""The command line as data, read from click's declarations."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

import click

PROGRAM = "bgpreflector"

METAVARS = {"integer": "N", "float": "N", "path": "PATH"}
"""By the name of click's type."""


@dataclass(frozen=True)
class Parameter:
    """An option, or an argument where it has no names."""

    names: tuple[str, ...]
    metavar: str
    """Empty for a flag."""

    help: str
    required: bool
    default: str


@dataclass(frozen=True)
class Command:
    """One command, or the program itself, or a group of commands."""

    path: tuple[str, ...]
    help: str
    parameters: tuple[Parameter, ...]
    group: bool

    @property
    def name(self) -> str:
        """What is typed."""
        return " ".join(self.path)

    @property
    def summary(self) -> str:
        """The first sentence of the help."""
        return " ".join(self.help.partition("\n\n")[0].split())

    @property
    def arguments(self) -> list[Parameter]:
        """The parameters without names."""
        return [one for one in self.parameters if not one.names]

    @property
    def options(self) -> list[Parameter]:
        """The others."""
        return [one for one in self.parameters if one.names]

    @property
    def usage(self) -> str:
        """The usage line."""
        options = ["[OPTIONS]"] if self.options else []
        rest = ["COMMAND …"] if self.group else [_argument(one) for one in self.arguments]
        return " ".join([self.name, *options, *rest])


def commands(root: click.Command, path: tuple[str, ...] = (PROGRAM,)) -> Iterator[Command]:
    """The program, then every command below it, in the order in which they were added."""
    below = root.commands if isinstance(root, click.Group) else {}
    shown = [one for one in root.params if not getattr(one, "hidden", False)]
    yield Command(
        path,
        inspect.cleandoc(root.help or ""),
        tuple(map(_parameter, shown)),
        group=isinstance(root, click.Group),
    )
    for name, command in below.items():
        if not command.hidden:
            yield from commands(command, (*path, name))


def _argument(parameter: Parameter) -> str:
    return parameter.metavar if parameter.required else f"[{parameter.metavar}]"


def _parameter(one: click.Parameter) -> Parameter:
    option = isinstance(one, click.Option)
    flag = isinstance(one, click.Option) and one.is_flag
    names = tuple(sorted([*one.opts, *one.secondary_opts], key=len)) if option else ()
    default = None if one.required or flag else one.to_info_dict()["default"]
    metavar = one.metavar or (
        METAVARS.get(one.type.name, "TEXT") if option else str(one.name).upper()
    )
    return Parameter(
        names,
        "" if flag else metavar,
        getattr(one, "help", None) or "",
        one.required,
        "" if default in (None, ()) else str(default),
    )
