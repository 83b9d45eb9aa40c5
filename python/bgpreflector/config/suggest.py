"""Did you mean ...?"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_LIKENESS = 0.7
"""Of 1 at most, from which on a word is taken for another: below it short words are like any."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean "..."?`` for the nearest known word, else an empty text."""
    by_lower = {one.lower(): one for one in known}
    for match in get_close_matches(word.lower(), by_lower, n=1, cutoff=_LIKENESS):
        return f'; did you mean "{by_lower[match]}"?'
    return ""
