"""The page with the first five minutes shows what its commands print."""

from __future__ import annotations

from pathlib import Path

import pytest

from transcript import commands, differences, replay

PAGE = Path(__file__).parents[3] / "docs" / "start.md"
OLDEST = "24.06"
"""The page's VPP."""


@pytest.mark.root
@pytest.mark.parametrize("name", ["simulated", pytest.param("real", marks=pytest.mark.vpp)])
def test_the_page_shows_what_happens(name: str, request: pytest.FixtureRequest) -> None:
    page = PAGE.read_text(encoding="utf-8")
    if name == "real":
        version = str(request.getfixturevalue("real_vpp").api.show_version().version)
        if version.removeprefix("v") < OLDEST:
            pytest.skip(f"release: the page asks for VPP {OLDEST} or newer, this is {version}")
    assert differences(page, replay(page, name)) == []


def test_what_differs_is_noticed() -> None:
    """Words, addresses and states are compared; numbers, times and versions are not."""
    page = "# status\nVPP 26.10-rc0, up 0:00:01, 5 MiB\n10.0.0.1/24 is [held]\n"
    assert not differences(page, page.replace("5 MiB", "17 MiB").replace("26.10-rc0", "27.02-x~1"))
    for old, new in (("held", "installed"), ("10.0.0.1", "10.0.0.2"), ("/24", "/25")):
        assert differences(page, page.replace(old, new))


def test_here_documents_belong_to_their_command() -> None:
    block = "# cat >file <<'END'\n# no command\nEND\n# cat file\n# no command".splitlines()
    first, *_ = commands(block)
    assert first.typed == "cat >file <<'END'\n# no command\nEND"
