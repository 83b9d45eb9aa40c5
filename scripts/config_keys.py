"""The configuration's sections and keys as data, read from its models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bgpreflector.config import Config


@dataclass(frozen=True)
class Key:
    """One key of a section."""

    name: str
    default: str | None
    """As JSON; empty where there is none, ``None`` where it is none."""

    help: str


@dataclass(frozen=True)
class Section:
    """A table of the file; the one without a name is the file itself."""

    name: str
    help: str
    keys: tuple[Key, ...]


def sections() -> Iterator[Section]:
    """All sections, each before those within it."""
    yield from _sections(Config, "", "")


def _sections(model: type[BaseModel], name: str, text: str) -> Iterator[Section]:
    keys: list[Key] = []
    below: list[Section] = []
    for key, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            path = f"{name}.{key}" if name else key
            below += _sections(kind, path, field.description or "")
        else:
            keys.append(Key(key, _default(field), field.description or ""))
    yield Section(name, text, tuple(keys))
    yield from below


def _default(field: FieldInfo) -> str | None:
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is PydanticUndefined:
        return ""
    return None if default is None else json.dumps(default, default=str)
