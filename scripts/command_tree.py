"""The command line as data, read from typer's declarations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo, ParameterInfo

PROGRAM = "bgpreflector"

METAVARS = {Path: "PATH", int: "N", float: "N", str: "TEXT"}


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


def commands(app: typer.Typer, path: tuple[str, ...] = (PROGRAM,)) -> Iterator[Command]:
    """The app's root, then every command below it, in the order in which they were added."""
    callback = None if app.registered_callback is None else app.registered_callback.callback
    described = app.info.help if isinstance(app.info.help, str) else inspect.getdoc(callback) or ""
    yield Command(path, described, _parameters(callback), group=True)
    for info in app.registered_commands:
        if info.callback is None or info.hidden:
            continue
        name = info.name or info.callback.__name__.replace("_", "-")
        yield Command(
            (*path, name),
            info.help or inspect.getdoc(info.callback) or "",
            _parameters(info.callback),
            group=False,
        )
    for group in app.registered_groups:
        if group.typer_instance is not None and not group.hidden:
            yield from commands(group.typer_instance, (*path, str(group.name)))


def _argument(parameter: Parameter) -> str:
    optional = not parameter.required and not parameter.metavar.startswith("[")
    return f"[{parameter.metavar}]" if optional else parameter.metavar


def _parameters(callback: Callable[..., Any] | None) -> tuple[Parameter, ...]:
    if callback is None:
        return ()
    hints = get_type_hints(callback, include_extras=True)
    found = []
    for name, parameter in inspect.signature(callback).parameters.items():
        hint, info, default = hints[name], parameter.default, None
        if get_origin(hint) is Annotated:
            hint, info = get_args(hint)[:2]
            default = parameter.default
        elif isinstance(info, ParameterInfo):
            default = info.default
        if isinstance(info, ParameterInfo) and not info.hidden:
            found.append(_parameter(name, hint, info, default))
    return tuple(found)


def _parameter(name: str, hint: Any, info: ParameterInfo, default: object) -> Parameter:
    kind = _kind(hint)
    names = _names(name, info) if isinstance(info, OptionInfo) else ()
    flag = kind is bool
    required = default in (inspect.Parameter.empty, ...)
    shown = "" if required or default is None or default is False else str(default)
    metavar = info.metavar or _metavar(kind, name if isinstance(info, ArgumentInfo) else "")
    return Parameter(names, "" if flag else metavar, info.help or "", required, shown)


def _names(name: str, info: OptionInfo) -> tuple[str, ...]:
    # Within Annotated the first name stands where the default would.
    declared = (info.default, *(info.param_decls or ()))
    names = [one for one in declared if isinstance(one, str) and one.startswith("-")]
    return tuple(sorted(names, key=len)) or (f"--{name.replace('_', '-')}",)


def _kind(hint: Any) -> Any:
    """The type of one value: without ``None``, and of a list's items."""
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (one for one in get_args(hint) if one is not type(None))
    return get_args(hint)[0] if get_origin(hint) is list else hint


def _metavar(kind: Any, argument: str) -> str:
    if get_origin(kind) is Literal:
        return "|".join(map(str, get_args(kind)))
    return argument.upper() or METAVARS.get(kind, "TEXT")
