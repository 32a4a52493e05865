# SPDX-License-Identifier: GPL-3.0-or-later
"""Seed pages of a DokuWiki: decide what to write from what people have done since, and write it with its history.

A seeded page is known by its last entry in DokuWiki's own change log: the author is SEED_AUTHOR and the summary
carries a hash of the text. No state is kept outside the wiki, so a restored wiki is understood without more.

Raises WikiError only.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

# No account can have this name: Active Directory allows no ":" in sAMAccountName.
SEED_AUTHOR = "facility:seed"
# What DokuWiki's cleanID() leaves as it is, so that the id, the file and the ACL are surely the same page.
_PAGE_ID = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*(?::[a-z0-9]+(?:[._-][a-z0-9]+)*)*")
_MARKER = re.compile(r"\[([0-9a-f]{16})\]$")
_DELETED = "D"
# $conf['locktime']: how long an opened editor keeps others out, in seconds.
_LOCK_SECONDS = 15 * 60

Action = Literal["create", "update", "keep", "nothing"]


class WikiError(Exception):
    """The wiki's pages can't be read or written; the message names the cure."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A page as the facility would like it."""

    id: str
    content: str


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A line of a page's change log; type is C(reate), E(dit), e (minor edit), R(evert) or D(elete)."""

    type: str
    author: str
    summary: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it is in the wiki."""

    content: str | None = None
    last_change: LogEntry | None = None
    # The person who has the page open in the editor right now.
    editor: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with one page; reason is for people, set when the page is kept."""

    action: Action
    seed: Seed
    before: str = ""
    reason: str = ""


def seeds_of(pages: Iterable[Mapping[str, Any]]) -> list[Seed]:
    """The pages as the module's option gives them, with one newline at the end.

    Raises:
        WikiError: If an id is none of DokuWiki's, comes twice, or a page is empty.
    """
    seeds = []
    seen = set()
    for page in pages:
        name, content = page["id"], page["content"].replace("\r\n", "\n").strip("\n") + "\n"
        if not _PAGE_ID.fullmatch(name):
            raise WikiError(
                f'"{name}" is no page id: write it with a-z, 0-9 and single . _ - between them, and : between '
                "namespaces, like safety:requirements"
            )
        if name in seen:
            raise WikiError(f'the page "{name}" is given twice: leave one out')
        if not content.strip():
            raise WikiError(f'the page "{name}" is empty, which means deletion to DokuWiki: give it a text')
        seen.add(name)
        seeds.append(Seed(name, content))
    return seeds


def marked(content: str) -> str:
    """The change log's summary for a seeded text."""
    return f"Seeded by the facility [{_fingerprint(content)}]"


def log_entry(line: str) -> LogEntry | None:
    """A line of data/meta/….changes: date, address, type, id, user, summary, … separated by tabs; None if broken."""
    fields = line.rstrip("\n").split("\t")
    if len(fields) < 6 or not fields[3]:
        return None
    return LogEntry(type=fields[2], author=fields[4], summary=fields[5])


def decided(seed: Seed, page: Page) -> Decision:
    """What to do with a page: write it only where no person's work is touched."""
    if page.content == seed.content:
        return Decision("nothing", seed)
    reason = _peoples_work(page) or (page.editor and f"{page.editor} has it open in the editor")
    if reason:
        return Decision("keep", seed, reason=reason)
    return Decision("create" if page.content is None else "update", seed, before=page.content or "")


def diff(decisions: Iterable[Decision]) -> list[dict[str, str]]:
    """Ansible's diff, one part for each page that is written."""
    return [
        {
            "before_header": decision.seed.id,
            "after_header": decision.seed.id,
            "before": decision.before,
            "after": decision.seed.content,
        }
        for decision in decisions
        if decision.action in {"create", "update"}
    ]


@dataclass(frozen=True, slots=True)
class Wiki:
    """The port to a DokuWiki on this host: reads its files, writes through its own program."""

    data_dir: Path
    program_dir: Path
    owner: str

    def check(self) -> None:
        """Refuse a host without DokuWiki, before anything is written."""
        for path in (self.data_dir / "pages", self.program_dir / "bin" / "dwpage.php"):
            if not path.exists():
                raise WikiError(f"{path} is not there: install the package dokuwiki first, or correct the folder")

    def read(self, page_id: str) -> Page:
        """The page as it is; a page that isn't there is an empty Page."""
        path = page_id.replace(":", "/")
        lines = (_text(self.data_dir / "meta" / f"{path}.changes") or "").splitlines()
        return Page(
            content=_text(self.data_dir / "pages" / f"{path}.txt"),
            last_change=log_entry(lines[-1]) if lines else None,
            editor=self._editor(page_id),
        )

    def write(self, seed: Seed) -> None:
        """Commit the text as a new revision."""
        with tempfile.NamedTemporaryFile(mode="w", encoding="utf-8", prefix="wiki-page-") as draft:
            draft.write(seed.content)
            draft.flush()
            os.chown(draft.name, pwd.getpwnam(self.owner).pw_uid, -1)
            self._php(
                "dwpage.php", "--user", SEED_AUTHOR, "commit", "--message", marked(seed.content), draft.name, seed.id
            )
        # It says "success" also when the folder refuses the file.
        if self.read(seed.id).content != seed.content:
            raise WikiError(f"DokuWiki did not save {seed.id}: make {self.data_dir} writable for {self.owner}")

    def index(self) -> None:
        """Make the new pages findable; without it they are only after someone has opened them."""
        self._php("indexer.php", "--quiet")

    def _php(self, script: str, *arguments: str) -> None:
        command = ["runuser", "-u", self.owner, "--", "php", str(self.program_dir / "bin" / script), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        if done.returncode:
            output: Sequence[str] = (done.stderr + done.stdout).strip().splitlines()
            raise WikiError(f"{script} {arguments[-1]}: {output[-1] if output else f'exit status {done.returncode}'}")

    def _editor(self, page_id: str) -> str | None:
        lock = self.data_dir / "locks" / f"{hashlib.md5(page_id.encode(), usedforsecurity=False).hexdigest()}.lock"
        held = (_text(lock) or "").partition("\n")[0]
        if not held or held == SEED_AUTHOR or time.time() - lock.stat().st_mtime > _LOCK_SECONDS:
            return None
        return held


def converge(wiki: Wiki, seeds: Sequence[Seed], *, check_mode: bool) -> dict[str, Any]:
    """Read, decide, write; return what a module hands to exit_json."""
    if not check_mode:
        wiki.check()
    decisions = []
    for seed in seeds:
        page = wiki.read(seed.id)
        decisions.append(decided(seed, page))
    writes = [decision for decision in decisions if decision.action in {"create", "update"}]
    if writes and not check_mode:
        for decision in writes:
            wiki.write(decision.seed)
        wiki.index()
    return {
        "changed": bool(writes),
        "created": [decision.seed.id for decision in writes if decision.action == "create"],
        "updated": [decision.seed.id for decision in writes if decision.action == "update"],
        "kept": [{"id": each.seed.id, "reason": each.reason} for each in decisions if each.action == "keep"],
        "diff": diff(decisions),
    }


def _peoples_work(page: Page) -> str:
    """Why the page is not ours to write; "" if nobody but us has touched it."""
    last = page.last_change
    if last is None:
        return "" if page.content is None else "written outside the wiki"
    if not _is_seeded(last):
        return f"{'deleted' if last.type == _DELETED else 'edited'} by {last.author or 'a person'}"
    if page.content is not None and last.summary != marked(page.content):
        return "edited outside the wiki"
    return ""


def _is_seeded(entry: LogEntry) -> bool:
    return entry.type != _DELETED and entry.author == SEED_AUTHOR and bool(_MARKER.search(entry.summary))


def _fingerprint(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WikiError(f"{path} can't be read ({error.strerror}): run as root") from None
