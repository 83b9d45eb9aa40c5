"""From pydantic's errors to problems that name the key as the file has it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from .errors import Problem
from .root import Config
from .suggest import did_you_mean
from .translate import CONTIV_NAMES, Path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic_core import ErrorDetails

_MESSAGES: Mapping[str, str] = {
    "model_type": "must be a section",
    "model_attributes_type": "must be a section",
    "dict_type": "must be a section",
    "tuple_type": "must be a list",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "too_short": "must not be empty",
    "greater_than_equal": "must be at least {ge:g}",
    "greater_than": "must be more than {gt:g}",
    "less_than_equal": "must be at most {le:g}",
}


def problems_of(error: ValidationError, written: Mapping[Path, str]) -> list[Problem]:
    """All problems of a validation; ``written`` says which keys the file calls otherwise."""
    details = error.errors(include_url=False)
    return [_problem(detail, written) for detail in details if not _is_echo(detail)]


def _is_echo(detail: ErrorDetails) -> bool:
    """Whether a list counts as too short only because its wrong items were left out."""
    return detail["type"] == "too_short" and bool(detail["input"])


def _problem(detail: ErrorDetails, written: Mapping[Path, str]) -> Problem:
    location = detail["loc"]
    context = detail.get("ctx", {})
    key = str(context.get("key", "")) or _key(location, written)
    if detail["type"] == "extra_forbidden":
        return Problem(key, f"unknown key{_known_keys(location)}")
    if "key" in context or location[-1:] == ("[key]",):
        return Problem(key, _message(detail))
    return Problem(key, _message(detail), detail["input"])


def _message(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if "error" in context:
        return str(context["error"])
    if detail["type"] == "literal_error":
        expected = str(context["expected"]).replace("'", '"')
        hint = did_you_mean(str(detail["input"]), re.findall('"([^"]*)"', expected))
        return f"must be {expected}{hint}"
    template = _MESSAGES.get(detail["type"])
    return detail["msg"] if template is None else template.format(**context)


def _key(location: Sequence[str | int], written: Mapping[Path, str]) -> str:
    names = tuple(part for part in location if part != "[key]")
    text = ""
    for end, part in enumerate(names, start=1):
        known = written.get(tuple(map(str, names[:end])))
        if known is not None:
            text = known
        elif isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def _known_keys(location: Sequence[str | int]) -> str:
    """What the unknown key at ``location`` may have been meant to be."""
    *parents, name = map(str, location)
    section: type[BaseModel] | None = Config
    for parent in parents:
        section = None if section is None else _section(section, parent)
    siblings = list(section.model_fields) if section is not None else []
    if not parents:
        siblings += CONTIV_NAMES
    near = did_you_mean(name, siblings)
    if near:
        return near
    elsewhere = [".".join(path) for path in _all_keys(Config) if path[-1] == name]
    if elsewhere:
        return f"; did you mean {' or '.join(elsewhere)}?"
    return "; known here: " + ", ".join(siblings)


def _all_keys(section: type[BaseModel]) -> Iterator[Path]:
    for name in section.model_fields:
        yield (name,)
        inner = _section(section, name)
        if inner is not None:
            yield from ((name, *rest) for rest in _all_keys(inner))


def _section(parent: type[BaseModel], name: str) -> type[BaseModel] | None:
    field = parent.model_fields.get(name)
    kind = None if field is None else field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
