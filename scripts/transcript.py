"""Runs the commands that a page of docs/ shows and compares what they print with the page.

    transcript.py PAGE NAME          1 where more than numbers, times and versions differ
    transcript.py PAGE NAME --write  puts what was printed into the page

Run are the ``console`` blocks behind ``<!-- run: NAME, … -->``, up to the next of these that does
not have the name: lines that begin with ``# ``, with the here-document that they open, if any.
``<!-- until: COMMAND -->`` between blocks waits until the command succeeds, as a reader would. It
takes root: the shell has an empty /tmp/lab and no named network namespaces, and whatever it starts
ends with it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from time import monotonic, sleep

TIMEOUT = 60.0
"""Seconds for a condition to come true."""

SENTINEL = "\x01"
RUN = re.compile(r"<!-- run: (.*) -->")
UNTIL = re.compile(r"<!-- until: (.*) -->")
HERE = re.compile(r"<<'(\w+)'")
VARIABLE = (
    (re.compile(r"\b\d\d\.\d\d-\S+?(?=,|\s|$)"), "VERSION"),
    (re.compile(r"\b\d+:\d\d:\d\d\b"), "TIME"),
    (re.compile(r"(?<![\w.:/])\d[\d,]*(?:\.\d+)?(?![\w:/]|\.\d)"), "N"),
    (re.compile(r"\s+"), " "),
    # Messages and resyncs of `status`: which there are depends on when a link came up.
    (re.compile(r"^(messages|resyncs) N .*"), r"\1"),
)
"""What may differ from run to run."""

SETUP = """
mkdir -p /tmp/lab /run/netns
mount -t tmpfs tmpfs /tmp/lab
mount -t tmpfs tmpfs /run/netns
cd /tmp/lab
"""


@dataclass
class Command:
    """What is typed, and what the page shows of its output."""

    typed: str
    shown: list[str]


class Shell:
    """One bash that runs commands one after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, command: str) -> tuple[int, str]:
        """Exit status and output."""
        assert self._process.stdin is not None  # noqa: S101 - it was opened with a pipe
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdin.write(f"{command}\nprintf '{SENTINEL}%s\\n' $?\n")
        self._process.stdin.flush()
        output = ""
        for line in self._process.stdout:
            text, ended, status = line.partition(SENTINEL)
            output += text
            if ended:
                return int(status), output
        raise RuntimeError(f"the shell ended at: {command}\n{output}")

    def wait_until(self, condition: str) -> None:
        """Returns once the command succeeds."""
        end = monotonic() + TIMEOUT
        while True:
            status, output = self.run(condition)
            if status == 0:
                return
            if monotonic() > end:
                raise TimeoutError(f"{condition}: still not after {TIMEOUT:g} s\n{output}")
            sleep(0.1)


@contextmanager
def shell() -> Iterator[Shell]:
    """A new one; everything that it started ends with it."""
    programs = Path(sys.executable).parent
    settings = {"COLUMNS": "100", "NO_COLOR": "1", "PATH": f"{programs}:{os.environ['PATH']}"}
    own = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with subprocess.Popen(
        [*own, "bash", "--norc"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | settings,
        text=True,
    ) as process:
        try:
            made = Shell(process)
            status, output = made.run(f"set -e\n{SETUP}\nset +e")
            if status:
                raise RuntimeError(f"no place to run in can be made: {output}")
            yield made
        finally:
            process.kill()


def commands(block: list[str]) -> Iterator[Command]:
    """The commands of a block's lines."""
    lines = iter(block)
    current: Command | None = None
    for line in lines:
        if not line.startswith("# "):
            if current is not None:
                current.shown.append(line)
            continue
        if current is not None:
            yield current
        typed = line[2:]
        if here := HERE.search(typed):
            for more in lines:
                typed += f"\n{more}"
                if more == here[1]:
                    break
        current = Command(typed, [])
    if current is not None:
        yield current


def replay(page: str, name: str) -> str:
    """The page with what its commands print now."""
    lines, written = iter(page.splitlines()), []
    running = False
    with shell() as bash:
        for line in lines:
            written.append(line)
            if marker := RUN.fullmatch(line):
                running = name in marker[1].split(", ")
            elif running and (until := UNTIL.fullmatch(line)):
                bash.wait_until(until[1])
            elif running and line == "```console":
                for command in commands(list(iter(lines.__next__, "```"))):
                    written += f"# {command.typed}".splitlines()
                    written += bash.run(command.typed)[1].splitlines()
                written.append("```")
    return "\n".join(written) + "\n"


def differences(page: str, replayed: str) -> list[str]:
    """A unified diff of what may not differ."""
    before, after = (list(map(_constant, text.splitlines())) for text in (page, replayed))
    return list(unified_diff(before, after, "the page", "printed", lineterm=""))


def _constant(line: str) -> str:
    for pattern, name in VARIABLE:
        line = pattern.sub(name, line)
    return line.rstrip()


def main() -> int:
    """As the module says."""
    place, name = Path(sys.argv[1]), sys.argv[2]
    page = place.read_text(encoding="utf-8")
    replayed = replay(page, name)
    if "--write" in sys.argv:
        place.write_text(replayed, encoding="utf-8")
        return 0
    found = differences(page, replayed)
    sys.stderr.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
