"""What completion offers, from the command line's declarations: see ``cli/completion.py``."""

from __future__ import annotations

import json

import click

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
    names = {protocol_name(number) for number in range(1, HIGHEST_PROTOCOL + 1)}
    protocols = sorted({*GROUPS, *(name for name in names if not name.isdecimal())})
    words = {"protocols": protocols, "command": _command(command_line(), ())}
    return json.dumps(words, indent=1) + "\n"


def _command(command: click.Command, path: tuple[str, ...]) -> dict[str, object]:
    below = command.commands if isinstance(command, click.Group) else {}
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    return {
        "help": command.get_short_help_str(limit=100),
        "options": [_option(one, path) for one in options] + [HELP],
        "arguments": [_kind(one, path) for one in arguments],
        "commands": {name: _command(one, (*path, name)) for name, one in below.items()},
    }


HELP = {"names": ["-h", "--help"], "help": "Show the help.", "kind": "flag", "repeats": False}


def _option(one: click.Option, path: tuple[str, ...]) -> dict[str, object]:
    made = {
        "names": [*one.opts, *one.secondary_opts],
        "help": " ".join((one.help or "").split()).partition(". ")[0],
        "kind": _kind(one, path),
        "repeats": bool(one.multiple),
    }
    if isinstance(one.type, click.Choice):
        made["choices"] = list(one.type.choices)
    return made


def _kind(one: click.Parameter, path: tuple[str, ...]) -> str:
    if isinstance(one, click.Option) and one.is_flag:
        return "flag"
    if isinstance(one.type, click.Choice):
        return "choice"
    if (path, one.name) == (("show", "routes"), "interface"):
        return "link"
    return KINDS.get(one.metavar or (one.name or "").upper(), "other")
