"""The log where standard error is systemd's journal, here a pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys

SCRIPT = """
import logging, sys
from bgpreflector.cli.logs import set_log
from bgpreflector.config import LogConfig
set_log(LogConfig(level="debug", format=sys.argv[1]))
log = logging.getLogger("some.module")
log.debug("a detail")
log.info("all is well")
log.warning("look at it")
try:
    raise ValueError("wrong")
except ValueError:
    log.exception("it failed")
"""


def logged(style: str, *, is_journal: bool) -> list[str]:
    """The lines that the script logs."""
    reading, writing = os.pipe()
    found = os.fstat(writing)
    number = found.st_ino if is_journal else found.st_ino + 1
    environment = {**os.environ, "JOURNAL_STREAM": f"{found.st_dev}:{number}"}
    argv = [sys.executable, "-c", SCRIPT, style]
    with os.fdopen(reading) as stream:
        with os.fdopen(writing, "w") as stderr:
            subprocess.run(argv, stderr=stderr, env=environment, check=True)
        return stream.read().splitlines()


def test_each_line_has_its_priority_and_no_time() -> None:
    """Those of a traceback too."""
    lines = logged("text", is_journal=True)
    starts = [line[:3] for line in lines]
    assert starts[:3] == ["<7>", "<6>", "<4>"]
    assert set(starts[3:]) == {"<3>"}
    assert lines[1].removeprefix("<6>").split() == ["all", "is", "well", "[some.module]"]
    assert any("ValueError: wrong" in line for line in lines)


def test_json_keeps_its_fields() -> None:
    """Its readers do not read the journal's."""
    lines = logged("json", is_journal=True)
    assert lines[1].startswith("<6>{")
    entry = json.loads(lines[1].removeprefix("<6>"))
    assert entry["level"] == "info"
    assert "timestamp" in entry


def test_a_redirected_stream_is_no_journal() -> None:
    """The variable is inherited by whatever the unit starts."""
    lines = logged("text", is_journal=False)
    assert not any(line.startswith("<") for line in lines)
    assert "[info     ] all is well" in lines[1]
