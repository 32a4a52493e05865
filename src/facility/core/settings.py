# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the facility's own programs: a TOML file read strictly, every problem at once, each with its cure."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, cast

T = TypeVar("T")


class ConfigError(Exception):
    """All problems of a configuration, one line each."""


def load(
    path: Path,
    kind: type[T],
    contradictions: Callable[[T], list[str]],
    prepare: Callable[[dict[str, Any]], None] = lambda document: None,
) -> T:
    """The settings in a TOML file.

    Args:
        path: of the file.
        kind: a dataclass. A field is the key of its name, or of ``metadata["key"]``; one with ``metadata["table"]``, a
            dataclass, takes the tables ``[[key]]`` as a tuple. A text may be empty only where it is so by default.
        contradictions: says what is wrong with settings that are fit each by itself, one line each.
        prepare: completes the document before it is looked at.

    Raises:
        ConfigError: One line a problem: file, key, what is wrong, the cure.
    """
    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror}): name the file with --config") from None
    except ValueError as error:
        raise ConfigError(f"{path}: is no TOML: {error}") from None
    prepare(document)
    problems: list[str] = []
    values = _values(problems, kind, document, "")
    if not problems:
        config = kind(**values)
        problems = contradictions(config)
    if problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems))
    return config


def _values(problems: list[str], kind: type, given: Mapping[str, Any], place: str) -> dict[str, Any]:
    known = {field.metadata.get("key", field.name): field for field in fields(kind)}
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            close = get_close_matches(key, known, n=1)
            problems.append(f"{place}{key}: unknown key: {f'did you mean {close[0]}?' if close else 'remove it'}")
        elif "table" in known[key].metadata:
            values[known[key].name] = _tables(problems, known[key].metadata["table"], key, value)
        else:
            cure = _cure(str(known[key].type), value, empty=known[key].default == "")
            if cure:
                problems.append(f"{place}{key}: is {value!r}: {cure}")
            else:
                values[known[key].name] = _typed(str(known[key].type), value)
    problems.extend(
        f"{place}{key}: is missing: add it"
        for key, field in known.items()
        if field.default is MISSING and field.default_factory is MISSING and key not in given
    )
    return values


def _tables(problems: list[str], kind: type, key: str, given: object) -> tuple[Any, ...]:
    if not isinstance(given, list):
        problems.append(f"{key}: is {given!r}: write [[{key}]] above each")
        return ()
    found = []
    for number, entry in enumerate(given, start=1):
        before = len(problems)
        if not isinstance(entry, Mapping):
            problems.append(f"{key} {number}: must be a table: write [[{key}]] above it")
            continue
        values = _values(problems, kind, entry, f"{key} {number}: ")
        if len(problems) == before:
            found.append(kind(**values))
    return tuple(found)


def _cure(kind: str, value: object, *, empty: bool) -> str:
    """What is to be written instead of a value that doesn't fit its type; "" when it fits."""
    texts = isinstance(value, list) and all(isinstance(item, str) and item for item in value)
    number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    fits, cure = {
        "Path": (isinstance(value, str) and value.startswith("/"), "write an absolute path"),
        "tuple[Path, ...]": (
            texts and all(item.startswith("/") for item in cast("list[str]", value)), "write a list of absolute paths"
        ),
        "tuple[str, ...]": (texts, "write a list of texts"),
        "str": (isinstance(value, str) and (value != "" or empty), "write a text"),
        "bool": (isinstance(value, bool), "write true or false"),
        "dict[str, str]": (isinstance(value, dict), 'write a table like {within = "14d"}'),
        "float": (number, "write a number that isn't negative"),
        "int": (
            number and isinstance(value, int),
            "write a whole number" if number else "write a number that isn't negative",
        ),
    }[kind.removesuffix(" | None")]  # fmt: skip
    return "" if fits else cure


def _typed(kind: str, value: Any) -> object:  # noqa: ANN401 - as TOML gave it
    if kind.removesuffix(" | None") == "Path":
        return Path(value)
    if kind == "tuple[Path, ...]":
        return tuple(map(Path, value))
    return tuple(value) if isinstance(value, list) else value
