# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file: read strictly, every problem at once, each with its cure."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core import settings
from ...core.settings import ConfigError
from .names import Globs

__all__ = ["Config", "ConfigError", "Matchers", "Rule", "load"]

QUIET_SECONDS = 60
# Not among the companions: *.ome.xml is an image.
_COMPANIONS = ("*.txt", "*.log", "*.csv", "*.json", "*.xml", "!*.ome.xml", "*.ini", "*.md", "*.pdf", "*.html", "*.done")


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
    monitor_file: Path
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
    monitor_max_age: float = 15
    reoffer_seconds: float = 3600
    # How long OMERO's own processes may take to end, or to write down what they imported.
    reoffer_grace_seconds: float = 30
    reoffer_limit: int = 3
    rescan_seconds: float = 3600
    history_days: float = 30
    rules: tuple[Rule, ...] = field(default=(), metadata={"key": "rule", "table": Rule})

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
    return settings.load(path, Config, _contradictions, prepare=_inherit)


def _inherit(document: dict[str, Any]) -> None:
    """A rule that says nothing of quietness waits as long as everybody."""
    rules = document.get("rule")
    for rule in rules if isinstance(rules, list) else ():
        if isinstance(rule, dict):
            rule.setdefault("quiet_seconds", document.get("quiet_seconds", QUIET_SECONDS))


def _contradictions(config: Config) -> list[str]:
    problems = [
        f"rule {number}: fits every set: give it an instrument or a match"
        for number, rule in enumerate(config.rules, start=1)
        if not rule.instrument and not rule.match
    ]
    problems += [
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
