"""What completion offers, from the command line's declarations: see ``cli/completion.py``."""

from __future__ import annotations

import json
from typing import Any, Literal, get_args, get_origin

import typer

from bgpreflector.cli.app import command_line
from bgpreflector.config.protocols import GROUPS, protocol_name

KINDS = {
    "FILE": "file",
    "PATH": "file",
    "NETNS": "namespace",
    "PROTOCOL": "protocol",
    "LINUX=VPP": "mapping",
}
"""By what the help calls a value."""

HIGHEST_PROTOCOL = 255


def completion_words() -> str:
    """``cli/completion.json`` as it has to be."""
    root: Any = typer.main.get_command(command_line())
    names = {protocol_name(number) for number in range(1, HIGHEST_PROTOCOL + 1)}
    protocols = sorted({*GROUPS, *(name for name in names if not name.isdecimal())})
    words = {"protocols": protocols, "command": _command(root, ())}
    return json.dumps(words, indent=1) + "\n"


def _command(command: Any, path: tuple[str, ...]) -> dict[str, object]:
    below = getattr(command, "commands", {})
    parameters = [one for one in command.params if not getattr(one, "hidden", False)]
    options = [one for one in parameters if one.param_type_name == "option"]
    arguments = [one for one in parameters if one.param_type_name == "argument"]
    return {
        "help": command.get_short_help_str(limit=100),
        "options": [_option(one, path) for one in options] + [HELP],
        "arguments": [_kind(one, path) for one in arguments],
        "commands": {name: _command(one, (*path, name)) for name, one in below.items()},
    }


HELP = {"names": ["-h", "--help"], "help": "Show the help.", "kind": "flag", "repeats": False}


def _option(one: Any, path: tuple[str, ...]) -> dict[str, object]:
    made = {
        "names": [*one.opts, *one.secondary_opts],
        "help": " ".join((one.help or "").split()).partition(". ")[0],
        "kind": _kind(one, path),
        "repeats": bool(one.multiple),
    }
    choices = _choices(one)
    return {**made, "choices": choices} if choices else made


def _choices(one: Any) -> list[str]:
    kind = one.type_descriptor.annotation
    return list(get_args(kind)) if get_origin(kind) is Literal else []


def _kind(one: Any, path: tuple[str, ...]) -> str:
    if one.param_type_name == "option" and one.is_flag:
        return "flag"
    if _choices(one):
        return "choice"
    if (path, one.name) == (("show", "routes"), "interface"):
        return "link"
    return KINDS.get(one.metavar, "other")
