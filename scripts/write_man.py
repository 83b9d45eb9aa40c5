"""Writes the manual pages from the code: bgpreflector(1), one a command, bgpreflector.toml(5)."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from textwrap import wrap

from bgpreflector.cli.app import command_line
from bgpreflector.cli.exit_codes import ExitCode
from command_tree import PROGRAM, Command, Parameter, commands
from config_keys import Key, sections

CONFIGURATION = f"{PROGRAM}.toml"
TITLE = "bgpreflector"
WIDTH = 78
CONTROL = re.compile(r"^(?=[.'])", re.MULTILINE)
"""Where roff would see a request of its own."""


def pages() -> Iterator[tuple[str, str]]:
    """Every page's file name and text."""
    tree = list(commands(command_line()))
    root, below = tree[0], [one for one in tree if not one.group]
    yield f"{PROGRAM}.1", _root_page(root, below)
    for command in below:
        yield f"{_page_name(command)}.1", _command_page(command)
    yield f"{CONFIGURATION}.5", _configuration_page()


def _root_page(root: Command, below: Iterable[Command]) -> str:
    items = [_item(_bold(one.name), _plain(one.summary)) for one in below]
    see = ", ".join(_reference(_page_name(one), 1) for one in below)
    return _page(
        _title(PROGRAM, 1),
        _section("NAME", f"{_plain(PROGRAM)} \\- {_plain(_lowered(root.summary))}"),
        _section("SYNOPSIS", _usage(root)),
        _section("DESCRIPTION", _paragraphs(root.help)),
        _section("COMMANDS", *items),
        _section("OPTIONS", *map(_option, root.options)),
        _exit_status(),
        _section("SEE ALSO", _filled(f"{_reference(CONFIGURATION, 5)}, {see}")),
    )


def _command_page(command: Command) -> str:
    summary = _lowered(command.summary)
    parameters = [*command.arguments, *command.options]
    return _page(
        _title(_page_name(command), 1),
        _section("NAME", f"{_plain(_page_name(command))} \\- {_plain(summary)}"),
        _section("SYNOPSIS", _usage(command)),
        _section("DESCRIPTION", _paragraphs(command.help)),
        _section("OPTIONS", *map(_option, parameters)) if parameters else "",
        _exit_status(),
        _section("SEE ALSO", f"{_reference(PROGRAM, 1)}, {_reference(CONFIGURATION, 5)}"),
    )


def _configuration_page() -> str:
    about = "One TOML file; every key has a default, and unknown keys are refused."
    check = f"{_reference(f'{PROGRAM}-check', 1)} names every mistake by its key."
    return _page(
        _title(CONFIGURATION, 5),
        _section("NAME", f"{_plain(CONFIGURATION)} \\- configuration of {PROGRAM}"),
        _section("DESCRIPTION", _filled(f"{_plain(about)} {check}")),
        *(
            _section(
                f"[{one.name}]" if one.name else "KEYS OUTSIDE OF SECTIONS",
                *([_plain(one.help)] if one.help else []),
                *map(_key, one.keys),
            )
            for one in sections()
            if one.keys
        ),
        _section("SEE ALSO", f"{_reference(PROGRAM, 1)}, {_reference(f'{PROGRAM}-run', 1)}"),
    )


def _title(name: str, number: int) -> str:
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(int(seconds), UTC)
    release = f"{TITLE} {version(PROGRAM)}"
    return f'.TH "{_plain(name.upper())}" {number} "{now:%Y-%m-%d}" "{release}" "{TITLE}"'


def _page(*parts: str) -> str:
    return "\n".join(part for part in parts if part) + "\n"


def _section(name: str, *lines: str) -> str:
    return "\n".join([f'.SH "{_plain(name)}"', *lines])


def _usage(command: Command) -> str:
    return f"{_bold(command.name)} {_plain(command.usage.removeprefix(command.name).strip())}"


def _option(parameter: Parameter) -> str:
    names = ", ".join(map(_bold, parameter.names))
    term = " ".join(part for part in (names, _italic(parameter.metavar)) if part)
    text = _plain(parameter.help)
    if parameter.required and parameter.names:
        text += " Required."
    if parameter.default:
        text += f" Default: {_plain(parameter.default)}."
    return _item(term, text)


def _key(key: Key) -> str:
    default = "none" if key.default is None else key.default
    return _item(f"{_bold(key.name)} (default: {_plain(default)})", _plain(key.help))


def _exit_status() -> str:
    codes = (_item(_bold(str(code.value)), _plain(code.meaning)) for code in ExitCode)
    return _section("EXIT STATUS", *codes)


def _item(term: str, text: str) -> str:
    return f".TP\n{term}\n{_filled(text)}"


def _paragraphs(text: str) -> str:
    paragraphs = (_filled(_plain(part)) for part in text.strip().split("\n\n"))
    return "\n.PP\n".join(paragraphs)


def _page_name(command: Command) -> str:
    return "-".join(command.path)


def _reference(name: str, number: int) -> str:
    return f"{_bold(name)}({number})"


def _bold(text: str) -> str:
    return f"\\fB{_plain(text)}\\fR" if text else ""


def _italic(text: str) -> str:
    return f"\\fI{_plain(text)}\\fR" if text else ""


def _lowered(summary: str) -> str:
    """A sentence as what stands behind a name: no capital, no full stop."""
    return summary[:1].lower() + summary[1:].removesuffix(".")


def _plain(text: str) -> str:
    """The text with nothing in it that roff would take for its own."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    escaped = escaped.replace("…", "...")
    escaped = re.sub(r"`([^`]*)`", r"\\fB\1\\fR", escaped)
    return CONTROL.sub(r"\\&", escaped)


def _filled(escaped: str) -> str:
    lines = wrap(escaped, WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(CONTROL.sub(r"\\&", line) for line in lines)


def main() -> int:
    """Writes the pages into the folder that is named."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
