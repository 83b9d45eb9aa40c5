"""Values that the environment gives, before those of the file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel

from .errors import ConfigError, Problem
from .override import override
from .root import Config
from .suggest import did_you_mean
from .translate import Path

PREFIX = "BGPREFLECTOR_"

SOURCE = "environment"

_SERVICE = re.compile(r"_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)$")
"""What Kubernetes gives every container for each service, one called ``bgpreflector`` too."""

_COMMA = re.compile(r",(?![^{]*\})")
"""Between the items of a list; a prefix's bounds of length have one of their own."""


def variables() -> dict[str, Path]:
    """The variable of every key: ``BGPREFLECTOR_VPP_API_SOCKET`` for ``vpp.api_socket``."""
    return {_variable(path): path for path, _ in _keys(Config, ())}


def given_by(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that are set, by key (dotted). An empty one is as unset."""
    return {".".join(path): name for name, path in variables().items() if environment.get(name, "")}


def with_environment(config: Config, environment: Mapping[str, str]) -> Config:
    """A configuration with the environment's values in place of its own; tables are merged.

    Raises :class:`ConfigError`, which names variables, also such as are like those of a key.
    """
    known = variables()
    kinds = dict(_keys(Config, ()))
    problems = [
        Problem(name, f"there is no such key{did_you_mean(name, known)}")
        for name in environment
        if name not in known and _is_meant(name)
    ]
    values: dict[str, object] = {}
    written: dict[Path, str] = {}
    for name, path in known.items():
        text = environment.get(name, "")
        if text:
            section = values
            for part in path[:-1]:
                section = section.setdefault(part, {})  # type: ignore[assignment]
            section[path[-1]] = _value(text, kinds[path])
            written[path] = name
    if not values and not problems:
        return config
    try:
        result = override(config, values, source=SOURCE, written=written)
    except ConfigError as error:
        raise ConfigError(SOURCE, [*problems, *error.problems]) from error
    if problems:
        raise ConfigError(SOURCE, problems)
    return result


def _is_meant(name: str) -> bool:
    """Whether a variable would be one of ours, and is not another program's."""
    sections = [key for key in Config.model_fields if _section(Config, key)]
    begins = tuple(f"{PREFIX}{section.upper()}_" for section in sections)
    return name.startswith(begins) and not _SERVICE.search(name)


def _variable(path: Path) -> str:
    return PREFIX + "_".join(path).upper()


def _keys(section: type[BaseModel], path: Path) -> Iterator[tuple[Path, object]]:
    for name, field in section.model_fields.items():
        inner = _section(section, name)
        if inner is None:
            yield (*path, name), field.annotation
        else:
            yield from _keys(inner, (*path, name))


def _section(parent: type[BaseModel], name: str) -> type[BaseModel] | None:
    kind = parent.model_fields[name].annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _value(text: str, kind: object) -> object:
    """The value that a text stands for where a file would have one of this kind.

    What it cannot be stays a text, which the validation then names.
    """
    origin = get_origin(kind)
    if origin is tuple:
        return _toml(text, list) if text.startswith("[") else _items(text)
    if origin is dict:
        return _toml(text, dict) if text.startswith("{") else _pairs(text)
    if kind is bool:
        return _toml(text, bool)
    one_of = {_plain(one) for one in get_args(kind)} if origin in {Union, UnionType} else {kind}
    if one_of >= {str, int}:
        return _item(text)
    if one_of & {int, float}:
        return _toml(text, int | float)
    return text


def _plain(kind: object) -> object:
    """Without what is annotated to it."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _toml(text: str, kind: type | UnionType) -> object:
    try:
        value: object = tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        return text
    return value if isinstance(value, kind) else text


def _items(text: str) -> list[object]:
    return [_item(item) for item in _COMMA.split(text)]


def _item(text: str) -> object:
    text = text.strip()
    return int(text) if re.fullmatch("[0-9]{1,18}", text) else text


def _pairs(text: str) -> object:
    """``eth0=GigabitEthernet0/8/0,eth1=2``."""
    pairs = [item.partition("=") for item in text.split(",")]
    if not all(separator for _, separator, _ in pairs):
        return text
    return {key.strip(): _item(value) for key, _, value in pairs}
