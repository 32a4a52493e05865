# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file: read strictly, every problem at once, each with its cure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from settle.names import Globs

QUIET_SECONDS = 60
# Not among the companions: *.ome.xml is an image.
_COMPANIONS = ("*.txt", "*.log", "*.csv", "*.json", "*.xml", "!*.ome.xml", "*.ini", "*.md", "*.pdf", "*.html", "*.done")


class ConfigError(Exception):
    """All problems of a configuration, one line each."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for the sets of an instrument, or for sets with certain files; the first rule that fits counts.

    Attributes:
        quiet_seconds: for how long nothing in the set may have changed.
        instrument: the shelf that the set lies on; "" for any place.
        match: a pattern that the name of the set or of a file in it fits; "" for any set.
        sentinel: a pattern for the file at the set's top that says that it is complete; "" if there is none.
    """

    quiet_seconds: float
    instrument: str = ""
    match: str = ""
    sentinel: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """The keys of settle.toml; all seconds may be fractions."""

    incoming: Path
    staging: Path
    dropbox: Path
    quarantine: Path
    state_dir: Path
    witness_file: Path
    asked_file: Path
    metrics_file: Path | None = None
    instruments: tuple[str, ...] = ()
    ignored: tuple[str, ...] = (".*", "Thumbs.db", "desktop.ini", "~$*")
    partial: tuple[str, ...] = ("*.part", "*.filepart", "*.crdownload", "*.tmp")
    companions: tuple[str, ...] = _COMPANIONS
    quiet_seconds: float = QUIET_SECONDS
    sentinel_wait_seconds: float = 86400
    # How long unreadable files, and sets without any image, stay before they are put aside.
    unsuitable_wait_seconds: float = 3600
    notice_after_seconds: float = 3600
    witness_max_age: float = 15
    reoffer_seconds: float = 3600
    # How long OMERO's own processes may take to end, or to write down what they imported.
    reoffer_grace_seconds: float = 30
    reoffer_limit: int = 3
    rescan_seconds: float = 3600
    history_days: float = 30
    rules: tuple[Rule, ...] = field(default=(), metadata={"key": "rule"})

    def rule_for(self, shelf: str, matched: int = 0) -> Rule:
        """The rule of a set on this shelf ("" for none); bit n of matched says that rule n's pattern was met."""
        for number, rule in enumerate(self.rules):
            if rule.instrument and rule.instrument != shelf:
                continue
            if not rule.match or matched >> number & 1:
                return rule
        return Rule(self.quiet_seconds)


@dataclass(frozen=True, slots=True)
class Matchers:
    """The configuration's patterns, made ready."""

    ignored: Globs
    partial: Globs
    companion: Globs
    sentinel: Globs
    # One a rule; None where the rule has no pattern.
    rules: tuple[Globs | None, ...]
    sentinels: tuple[Globs | None, ...]

    @classmethod
    def of(cls, config: Config, own: tuple[str, ...] = ()) -> Matchers:
        """The matchers of a configuration; own are names that settle itself writes."""
        sentinels = [rule.sentinel for rule in config.rules if rule.sentinel]
        return cls(
            ignored=Globs(config.ignored, own),
            partial=Globs(config.partial),
            companion=Globs((*config.companions, *sentinels)),
            sentinel=Globs(sentinels),
            rules=tuple(Globs([rule.match]) if rule.match else None for rule in config.rules),
            sentinels=tuple(Globs([rule.sentinel]) if rule.sentinel else None for rule in config.rules),
        )


def load(path: Path) -> Config:
    """The configuration in a TOML file.

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
    problems: list[str] = []
    values = _values(problems, Config, document, "")
    rules = []
    entries = values.pop("rules", ())
    for number, entry in enumerate(entries if isinstance(entries, list) else (), start=1):
        checked = _values(problems, Rule, entry, f"rule {number}: ")
        if checked:
            checked.setdefault("quiet_seconds", values.get("quiet_seconds", QUIET_SECONDS))
            rules.append(Rule(**checked))
            if not checked.get("instrument") and not checked.get("match"):
                problems.append(f"rule {number}: fits every set: give it an instrument or a match")
    if not problems:
        config = Config(**values, rules=tuple(rules))
        problems = _contradictions(config)
    if problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems))
    return config


def _contradictions(config: Config) -> list[str]:
    problems = [
        f'rule {number}: "{rule.instrument}" is no instrument: add it to instruments, or mend the rule'
        for number, rule in enumerate(config.rules, start=1)
        if rule.instrument and rule.instrument not in config.instruments
    ]
    folders = {name: getattr(config, name) for name in ("incoming", "staging", "dropbox", "quarantine", "state_dir")}
    for name, folder in folders.items():
        for other, parent in folders.items():
            if name != other and folder.is_relative_to(parent):
                problems.append(f"{name}: {folder} is {other}, or lies in it: give it a folder of its own")
    return problems


def _values(problems: list[str], kind: type, given: Mapping[str, Any], place: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        problems.append(f"{place}must be a table: write [[rule]] above it")
        return {}
    known = {f.metadata.get("key", f.name): f for f in fields(kind)}
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            close = get_close_matches(key, known, n=1)
            problems.append(f"{place}{key}: unknown key: {f'did you mean {close[0]}?' if close else 'remove it'}")
            continue
        checked, problem = _checked(str(known[key].type), value)
        values[known[key].name] = checked
        if problem:
            problems.append(f"{place}{key}: {problem}")
    problems.extend(
        f"{place}{key}: is missing: add it"
        for key, f in known.items()
        if f.default is MISSING and key not in given and not (kind is Rule and key == "quiet_seconds")
    )
    return values


def _checked(kind: str, value: object) -> tuple[object, str]:
    """The value in its proper type, and what is wrong with it."""
    problem = ""
    if kind.startswith("Path"):
        if isinstance(value, str) and value.startswith("/"):
            value = Path(value)
        else:
            problem = "write an absolute path"
    elif kind == "tuple[Rule, ...]":
        problem = "" if isinstance(value, list) else "write [[rule]] above each"
    elif kind == "tuple[str, ...]":
        if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            value = tuple(value)
        else:
            problem = "write a list of texts"
    elif kind == "str":
        problem = "" if isinstance(value, str) else "write a text"
    elif isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        problem = "write a number that isn't negative"
    elif kind == "int" and not isinstance(value, int):
        problem = "write a whole number"
    return value, f"is {value!r}: {problem}" if problem else ""
