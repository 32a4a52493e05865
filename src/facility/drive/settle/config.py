# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file: read strictly, every problem at once, each with its cure."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core import settings
from ...core.settings import ConfigError
from .families import fold
from .names import Globs

__all__ = ["Config", "ConfigError", "Group", "Matchers", "Rule", "load"]

QUIET_SECONDS = 60
# Not among the companions: *.ome.xml is an image.
_COMPANIONS = (
    "*.txt", "*.log", "*.csv", "*.json", "*.xml", "!*.ome.xml", "*.ini", "*.md", "*.pdf", "*.html", "*.done",
    "*.xls", "*.xlsx", "*.doc", "*.docx", "*.ppt", "*.pptx", "*.odt", "*.ods", "*.rtf", "*.zip", "*.7z", "*.roi",
    "*.pzf", "*.pzfx", "*.lnk", "*.url", "*.py", "*.ijm", "*.m", "*.r", "NDTiff.index",
)  # fmt: skip


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
class Group:
    """People who have some room on the drive together, in GiB."""

    name: str
    quota_gib: float
    logins: tuple[str, ...]


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
    # Finder's custom icon is "Icon" and a carriage return, which Samba keeps as a private character.
    ignored: tuple[str, ...] = (".*", "Thumbs.db", "desktop.ini", "~$*", "$RECYCLE.BIN", "Icon\r", "Icon\uf00d")
    partial: tuple[str, ...] = ("*.part", "*.filepart", "*.crdownload", "*.tmp")
    companions: tuple[str, ...] = _COMPANIONS
    # A folder is the image, and each file in it a piece: OMERO.dropbox can't import it, and asks about each piece.
    folder_formats: tuple[str, ...] = ("*.zarr", "*.n5")
    quiet_seconds: float = QUIET_SECONDS
    # For a folder with files that were written where they lie, as an instrument does, and not copied with their times.
    written_quiet_seconds: float = 600
    sentinel_wait_seconds: float = 86400
    # How long unreadable files, and sets without any image, stay before they are put aside.
    unsuitable_wait_seconds: float = 3600
    # How long an image waits for parts that are missing before OMERO gets it as it is.
    incomplete_wait_seconds: float = 86400
    # The same for files with gaps, and for ones that a program has open for reading.
    gaps_wait_seconds: float = 86400
    reader_wait_seconds: float = 600
    # How long a set waits for one cause, or is with OMERO, before its person is told.
    notice_after_seconds: float = 60
    monitor_max_age: float = 15
    # For how long OMERO.dropbox must have had nothing to do before a set counts as missed.
    reoffer_seconds: float = 3600
    # ... or how many sets that it was given later it has imported: it takes them in their order.
    overtaken: int = 20
    # So many files are in OMERO's hands at once, so that nobody waits for all of somebody else's; more, up to 30, while
    # OMERO imports them within the seconds that somebody may wait.
    files_at_once: int = 6
    wait_at_most_seconds: float = 90
    # A set of more files that can't be given in pieces is not given: everybody would wait for it.
    files_at_most: int = 1000
    # How long OMERO's own processes may take to end, or to write down what they imported.
    reoffer_grace_seconds: float = 30
    reoffer_limit: int = 3
    rescan_seconds: float = 3600
    history_days: float = 30
    # Each folder lies in DropBox within one of its own, not only one whose name was used before: then its name can be
    # told from that of a set of loose files, as OMERO's rule for datasets needs it.
    folders_wrapped: bool = False
    # When what OMERO has of a set is deleted from DropBox; 0: never.
    clear_after_days: float = 1
    # Nothing is given to OMERO that would leave less room than this on the disk, in percent of it.
    reserve_percent: float = 5
    # How much of the drive is each person's, in GiB; 0: no limit. groups: beside that, what people have together.
    quota_gib: float = 0
    groups: tuple[Group, ...] = field(default=(), metadata={"key": "group", "table": Group})
    # Where smbd reads how much is left; a file a person.
    room_folder: Path | None = None
    # For how long data that a person's earlier set had is told of instead of imported again; 0: not at all.
    remember_days: float = 365
    rules: tuple[Rule, ...] = field(default=(), metadata={"key": "rule", "table": Rule})

    def rule_for(self, shelf: str, matched: int = 0) -> Rule:
        """The rule of a set on this shelf ("" for none); bit n of matched says that rule n's pattern was met."""
        for number, rule in enumerate(self.rules):
            if rule.instrument and fold(rule.instrument) != fold(shelf):
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
    pieces: Globs
    sentinel: Globs
    # One a rule; None where the rule has no pattern.
    rules: tuple[Globs | None, ...]
    sentinels: tuple[Globs | None, ...]

    def not_expected(self, name: str) -> bool:
        """Whether OMERO need not import the file for its set to be done."""
        return self.ignored(name) or self.companion(name)

    @classmethod
    def of(cls, config: Config, own: tuple[str, ...] = ()) -> Matchers:
        """The matchers of a configuration; own are names that settle itself writes."""
        sentinels = [rule.sentinel for rule in config.rules if rule.sentinel]
        return cls(
            ignored=Globs(config.ignored, own),
            partial=Globs(config.partial),
            companion=Globs((*config.companions, *sentinels)),
            pieces=Globs(config.folder_formats),
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
