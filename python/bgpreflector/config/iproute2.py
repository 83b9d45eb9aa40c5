"""Names of protocols and tables from this host's iproute2: ``rt_protos``, ``rt_tables``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ETC = Path("etc/iproute2")
"""The administrator's files; they override the distribution's of the same name."""

DISTRIBUTION = (Path("usr/share/iproute2"), Path("usr/lib/iproute2"))
"""Where iproute2 6.6 and newer install their files."""

ROOT = Path("/")


@cache
def names_by_number(database: str, root: Path = ROOT) -> Mapping[int, str]:
    """The names of ``rt_protos`` or ``rt_tables`` and their ``.d`` directory, by number.

    Read as iproute2 does (``lib/rt_names.c``): of two files of one name the one in ``/etc``, and of
    two lines for a number the later. What cannot be read or parsed is left out: names are a
    convenience, numbers always work. The files are read once.
    """
    names: dict[int, str] = {}
    for file in _files(database, root):
        names.update(_entries(file))
    return names


def _files(database: str, root: Path) -> Iterator[Path]:
    places = [root / place for place in (ETC, *DISTRIBUTION)]
    found = next((place / database for place in places if (place / database).is_file()), None)
    if found is not None:
        yield found
    more: dict[str, Path] = {}
    for place in reversed(places):
        more |= {file.name: file for file in sorted((place / f"{database}.d").glob("*.conf"))}
    yield from sorted(more.values(), key=lambda file: (file.is_relative_to(root / ETC), file.name))


def _entries(file: Path) -> Iterator[tuple[int, str]]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        words = line.partition("#")[0].split()
        if len(words) != 2:  # noqa: PLR2004 - a number and its name
            continue
        try:
            yield int(words[0], 16 if words[0].lower().startswith("0x") else 10), words[1]
        except ValueError:
            continue
