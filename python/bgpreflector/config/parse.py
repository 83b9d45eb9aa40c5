"""Parse a file into plain data of bounded size."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import cast

import yaml

from .errors import ConfigError, Problem

MAX_DEPTH = 32
"""The deepest nesting of sections and lists; a configuration has five."""

MAX_VALUES = 1_000_000
"""The most values, with each use of a YAML alias counted."""

NOT_UTF_8 = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
"""Byte order marks of what some editors call Unicode."""

_PERHAPS_ALIAS = ", perhaps by an alias that contains itself"

MANIFEST = (
    "this is a Kubernetes manifest and not the configuration in it: save what its ConfigMap has "
    "as data, the text behind `contiv.conf: |`, as a file of its own"
)


def text_of(content: bytes, source: str) -> str:
    """The text of a file, with or without UTF-8's byte order mark. Raises :class:`ConfigError`."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = NOT_UTF_8.get(content[:2])
        found = f"not UTF-8 but {what}: save it as UTF-8" if what else f"not UTF-8: {error}"
        raise ConfigError(source, [Problem("", f"the file is {found}")]) from error


def parse_toml(text: str, source: str) -> dict[str, object]:
    """TOML as plain data. Raises :class:`ConfigError`."""
    data = _parsed(tomllib.loads, text, "TOML", source)
    return cast("dict[str, object]", data)


def parse_yaml(text: str, source: str) -> dict[object, object]:
    """Contiv's YAML as plain data; empty is a configuration too. Raises :class:`ConfigError`."""
    documents = cast("list[object]", _parsed(_documents, text, "YAML", source))
    if any(map(_is_manifest, documents)):
        raise ConfigError(source, [Problem("", MANIFEST)])
    if len(documents) > 1:
        many = f"this is YAML of {len(documents)} documents; only one is allowed"
        raise ConfigError(source, [Problem("", many)])
    data = documents[0] if documents else {}
    if not isinstance(data, dict):
        message = "this is no Contiv configuration in YAML; a TOML file must be named *.toml"
        raise ConfigError(source, [Problem("", message)])
    return data


def _documents(text: str) -> list[object]:
    return [document for document in yaml.safe_load_all(text) if document is not None]


def _is_manifest(document: object) -> bool:
    return isinstance(document, Mapping) and "apiVersion" in document and "kind" in document


def _parsed(parse: Callable[[str], object], text: str, what: str, source: str) -> object:
    try:
        data = parse(text)
        _check_size(data)
    except RecursionError as error:
        raise _refused(source, what, "too many levels in each other") from error
    except Exception as error:
        # The parsers also raise ValueError, KeyError and others for malformed dates, numbers and
        # tags.
        raise _refused(source, what, error) from error
    return data


def _refused(source: str, what: str, error: object) -> ConfigError:
    return ConfigError(source, [Problem("", f"this is not {what}: {error}")])


def _check_size(data: object) -> None:
    """Check the size: YAML aliases can expand a few lines without bound."""
    levels: list[Iterator[object]] = [iter((data,))]
    seen = 0
    while levels:
        for value in levels[-1]:
            seen += 1
            if seen > MAX_VALUES:
                raise ValueError(f"more than {MAX_VALUES:,} values")
            if isinstance(value, dict | list | set | tuple):
                if len(levels) > MAX_DEPTH:
                    raise ValueError(f"more than {MAX_DEPTH} levels in each other{_PERHAPS_ALIAS}")
                levels.append(iter(value.values() if isinstance(value, dict) else value))
                break
        else:
            levels.pop()
