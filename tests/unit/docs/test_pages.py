"""The pages of docs/ lead to what is there, and the references are the code's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FULL = re.compile(r"`((?:tests|rust)/[\w/]+\.(?:py|rs))::(\w+)`")


def test_every_test_that_the_threat_model_names_exists() -> None:
    page = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    server = "tests/unit/control/test_control_server.py"
    named = FULL.findall(page) + [(server, name) for name in re.findall(r"`::(\w+)`", page)]
    assert len(named) > 30
    for file, name in named:
        assert re.search(rf"(def|fn) {name}\b", (ROOT / file).read_text()), f"{file}::{name}"


def test_the_references_are_up_to_date() -> None:
    command = [sys.executable, "scripts/write_reference.py", "--check"]
    # A default comes from it, and tests with a real VPP set it.
    environment = {k: v for k, v in os.environ.items() if k != "BGPREFLECTOR_API_DIRECTORY"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_site_has_every_page_and_no_dead_link(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going"]
    command += ["-d", str(tmp_path / "doctrees"), "docs", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    site = tmp_path / "site"
    made = {page.stem for page in site.glob("*.html")}
    assert {page.stem for page in (ROOT / "docs").glob("*.md")} <= made
    # A link out of docs/ leads to a copy of the file.
    (unit,) = (tmp_path / "site").glob("_downloads/*/bgpreflector.service")
    assert "[Unit]" in unit.read_text()
    # Links may be clicked on, but nothing is fetched from elsewhere to show a page.
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src="|rel="stylesheet"[^>]*href=")https?:', page)
    # What is shown of a command can be pasted: no dash for two hyphens, no curved quotes.
    texts = {page.name: page.read_text(encoding="utf-8") for page in site.glob("*.html")}
    typeset = re.compile("[\u2013\u2014]\\w|[\u2018\u2019\u201c\u201d]")
    assert {
        name: typeset.findall(text) for name, text in texts.items() if typeset.search(text)
    } == {}
    install = texts["install.html"]
    assert "copybutton.js" in install
    assert "prompts.css" in install
    assert "make wheels" not in install, "that is on the page on building packages"
    assert 'href="install.html"' in texts["index.html"]
