"""Completion for shells, within the time that a key press may take.

It answers the scripts of :mod:`.completion_scripts`, and imports nothing of the program: what there
is to offer is in a file that ``make reference`` writes (``scripts/completion_words.py``).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence

# As in the package's own module.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VARIABLE = "_BGPREFLECTOR_COMPLETE"
"""The environment variable by which a shell asks: ``complete_SHELL``, or ``source_SHELL``."""

WORDS = os.path.join(os.path.dirname(__file__), "completion.json")  # noqa: PTH118, PTH120
"""By :mod:`os`: :mod:`pathlib` takes as long to import as all the rest."""

NAMESPACES = "/run/netns"
LINKS = "/sys/class/net"

BEHIND_LINK: Mapping[str, Any] = {"kind": "vpp", "names": []}
"""What follows ``--interface LINUX =``, three words to bash."""

Offer = tuple[str, str]
"""A word, and what it means."""


def complete() -> bool:
    """Answer a shell that asks; ``False`` where none does, or for what takes its time anyhow."""
    action, _, shell = os.environ.get(VARIABLE, "").partition("_")
    if action == "source":
        from .completion_scripts import SCRIPTS  # noqa: PLC0415 - once a shell, not once a key

        if shell in SCRIPTS:
            sys.stdout.write(SCRIPTS[shell])
        return shell in SCRIPTS
    answer = {"bash": _bash, "zsh": _zsh, "fish": _fish}.get(shell)
    if action != "complete" or answer is None:
        return False
    answer()
    return True


def offers(words: Sequence[str], current: str) -> list[Offer]:
    """What may follow ``words`` of a command line and begins with ``current``.

    None means that the shell offers files.
    """
    found, prefix = _found(_Line(words), current)
    return [(prefix + word, text) for word, text in found if (prefix + word).startswith(current)]


class _Line:
    """What a command line has so far."""

    def __init__(self, words: Sequence[str]) -> None:
        data = _read()
        self.protocols: Sequence[str] = data["protocols"]
        self.command: Mapping[str, Any] = data["command"]
        self.arguments = 0
        self.option: Mapping[str, Any] | None = None
        """The one whose value comes next."""

        self.given: set[str] = set()
        self.values: dict[str, str] = {}
        """Options' values, by each of their names."""

        self.mapped: str | None = None
        """The kernel's interface of an ``--interface``; ``=`` comes next or was last."""

        rest = False
        for word in words:
            self._take(word, rest=rest)
            rest = rest or word == "--"

    def _take(self, word: str, *, rest: bool) -> None:
        if self.option is not None:
            # bash takes "=" for a word of its own.
            if word != "=":
                self._value(self.option, word)
                self.option = None
        elif word == "=" and self.mapped is not None:
            self.option = BEHIND_LINK
        elif word.startswith("-") and not rest:
            name, _, value = word.partition("=")
            option = self.find(name)
            if option is not None:
                self.given.update(option["names"])
                if value:
                    self._value(option, value)
                self.option = option if option["kind"] != "flag" and not value else None
        elif word in self.command["commands"]:
            self.command = self.command["commands"][word]
        else:
            self.arguments += 1

    def _value(self, option: Mapping[str, Any], value: str) -> None:
        self.values.update(dict.fromkeys(option["names"], value))
        self.mapped = value if option["kind"] == "mapping" and "=" not in value else None

    def find(self, name: str) -> Mapping[str, Any] | None:
        """The option of a name."""
        options: list[Mapping[str, Any]] = self.command["options"]
        return next((option for option in options if name in option["names"]), None)


def _read() -> dict[str, Any]:
    import json  # noqa: PLC0415 - no other command needs this module

    with open(WORDS, encoding="utf-8") as file:  # noqa: PTH123 - see WORDS
        read: dict[str, Any] = json.load(file)
    return read


def _found(line: _Line, current: str) -> tuple[Iterable[Offer], str]:
    """Words, and what stands before each of them."""
    option = line.option
    if option is None and current == "=" and line.mapped is not None:
        option = BEHIND_LINK
    if option is not None:
        return _values(line, option, "" if current == "=" else current), (
            "=" if current == "=" else ""
        )
    name, assigned, value = current.partition("=")
    if name.startswith("-"):
        option = line.find(name) if assigned else None
        if option is not None:
            return _values(line, option, value), f"{name}="
        return _options(line), ""
    if line.command["commands"]:
        return [(word, found["help"]) for word, found in line.command["commands"].items()], ""
    arguments = line.command["arguments"]
    if line.arguments < len(arguments):
        kind = arguments[line.arguments]
        return _values(line, {"kind": kind}, current), ""
    return _options(line), ""


def _options(line: _Line) -> list[Offer]:
    """Those that were not given, each by its longest name."""
    return [
        (max(option["names"], key=len), option["help"])
        for option in line.command["options"]
        if option["repeats"] or not line.given.intersection(option["names"])
    ]


def _values(line: _Line, option: Mapping[str, Any], current: str) -> list[Offer]:
    kind = option["kind"]
    if kind in ("choice", "protocol"):
        return [(word, "") for word in option.get("choices", line.protocols)]
    if kind == "namespace" and "/" not in current:
        return [(word, "network namespace") for word in _names(NAMESPACES)]
    if kind == "link":
        return [(word, "interface") for word in _names(LINKS)]
    if kind == "mapping":
        return _mappings(line, current)
    return _vpp(line) if kind == "vpp" else []


def _mappings(line: _Line, current: str) -> list[Offer]:
    link, assigned, _ = current.partition("=")
    if assigned:
        return [(f"{link}={word}", text) for word, text in _vpp(line)]
    return [(f"{word}=", "interface") for word in _names(LINKS) if word != "lo"]


def _vpp(line: _Line) -> list[Offer]:
    from .completion_vpp import vpp_interfaces  # noqa: PLC0415 - it needs sockets

    return [(word, "VPP interface") for word in vpp_interfaces(line.values)]


def _names(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))  # noqa: PTH208 - see WORDS
    except OSError:
        return []


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _bash() -> None:
    words = os.environ.get("COMP_WORDS", "").split("\n")
    if len(words) == 1:
        words = words[0].split()
    at = int(os.environ.get("COMP_CWORD") or len(words) - 1)
    current = words[at] if at < len(words) else ""
    for word, _ in offers(words[1:at], current):
        # bash replaces what is behind the "=" alone.
        _say(word.removeprefix("=") if current == "=" else word)


def _split() -> tuple[list[str], str]:
    """The words before the last one, and that."""
    import shlex  # noqa: PLC0415 - see above

    line = os.environ.get("_TYPER_COMPLETE_ARGS", "")
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    if line.endswith(" ") or len(words) == 1:
        return words[1:], ""
    return words[1:-1], words[-1] if words else ""


def _zsh() -> None:
    found = "\n".join(
        f'"{_escaped(word)}":"{_escaped(text)}"' if text else f'"{_escaped(word)}"'
        for word, text in offers(*_split())
    )
    _say(f"_arguments '*: :(({found}))'" if found else "_files")


def _escaped(text: str) -> str:
    for char, escaped in (('"', '""'), ("'", "''"), ("$", "\\$"), ("`", "\\`"), (":", r"\\:")):
        text = text.replace(char, escaped)
    return text


def _fish() -> None:
    found = offers(*_split())
    if os.environ.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
        sys.exit(0 if found else 1)
    for word, text in found:
        _say(f"{word}\t{text}" if text else word)
