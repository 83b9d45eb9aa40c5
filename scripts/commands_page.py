"""docs/commands.md, from the command line itself."""

from __future__ import annotations

from bgpreflector.cli.app import command_line
from bgpreflector.cli.exit_codes import ExitCode
from command_tree import PROGRAM, Command, Parameter, commands

HEAD = f"""# Commands

Every command has `--help` (`-h`); `{PROGRAM} --install-completion` has the shell complete them,
and the files, network namespaces, interfaces and protocols that they take; the packages do so
by themselves.
`--json` prints what is meant for programs: one object, or one object a line, each with a `schema`
that grows when a field changes its meaning or goes.
Messages, logs and errors go to standard error; with `--json` an error is an object, too. [A running
daemon](operating.md) says more of what the answers mean.
This page is generated from the code by `make reference`.

| command | does |
| --- | --- |
"""

CODES = """
## Exit codes

| code | means |
| --- | --- |
"""


def commands_page() -> str:
    """The page as it has to be."""
    tree = [one for one in commands(command_line()) if not one.group]
    rows = "".join(f"| [`{one.name}`](#{_anchor(one)}) | {one.summary} |\n" for one in tree)
    codes = "".join(f"| {code.value} | {code.meaning} |\n" for code in ExitCode)
    return HEAD + rows + CODES + codes + "".join(map(_section, tree))


def _anchor(command: Command) -> str:
    return "-".join(command.path)


def _section(command: Command) -> str:
    usage = f"\n## {command.name}\n\n```text\n{command.usage}\n```\n\n{command.help}\n"
    rows = "".join(map(_row, command.parameters))
    return f"{usage}\n| option | meaning |\n| --- | --- |\n{rows}" if rows else usage


def _row(parameter: Parameter) -> str:
    usage = " ".join(part for part in (", ".join(parameter.names), parameter.metavar) if part)
    required = " Required." if parameter.required and parameter.names else ""
    default = f" Default: {parameter.default}." if parameter.default else ""
    escaped = usage.replace("|", "\\|")
    return f"| `{escaped}` | {parameter.help}{required}{default} |\n"
