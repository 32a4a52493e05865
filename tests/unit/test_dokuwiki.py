# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided about a seeded page, from what people did to it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from facility.wiki.pages import (
    SEED_AUTHOR,
    LogEntry,
    Page,
    Seed,
    Wiki,
    WikiError,
    converge,
    decided,
    diff,
    log_entry,
    marked,
    seeds_of,
)

TEXTS = st.text(min_size=1).filter(str.strip)
SEED = Seed("safety:requirements", "New text\n")


def seeded(content: str, kind: str = "C") -> LogEntry:
    return LogEntry(kind, SEED_AUTHOR, marked(content))


def test_a_page_that_never_was_is_created() -> None:
    assert decided(SEED, Page()).action == "create"


@given(text=TEXTS)
def test_a_page_that_only_we_wrote_is_brought_up_to_date(text: str) -> None:
    decision = decided(SEED, Page(text, seeded(text)))
    assert decision.action == ("nothing" if text == SEED.content else "update")


@given(text=TEXTS, author=st.text(), summary=st.text(), kind=st.sampled_from("CEeR"))
def test_what_a_person_saved_is_never_written_over(text: str, author: str, summary: str, kind: str) -> None:
    assume(author != SEED_AUTHOR and text != SEED.content)
    assert decided(SEED, Page(text, LogEntry(kind, author, summary))).action == "keep"
    # Nor when somebody copies our summary.
    assert decided(SEED, Page(text, LogEntry(kind, author, marked(text)))).action == "keep"


@given(before=TEXTS, after=TEXTS)
def test_what_was_changed_outside_the_wiki_is_never_written_over(before: str, after: str) -> None:
    assume(after not in {before, SEED.content})
    decision = decided(SEED, Page(after, seeded(before)))
    assert (decision.action, decision.reason) == ("keep", "edited outside the wiki")


def test_a_page_without_any_history_is_left() -> None:
    assert decided(SEED, Page("Copied here\n")).reason == "written outside the wiki"


def test_what_a_person_deleted_stays_deleted() -> None:
    decision = decided(SEED, Page(None, LogEntry("D", "sstein", "removed")))
    assert (decision.action, decision.reason) == ("keep", "deleted by sstein")


def test_our_own_page_that_vanished_from_the_disk_comes_back() -> None:
    assert decided(SEED, Page(None, seeded("Old\n"))).action == "create"


def test_a_page_that_is_open_in_the_editor_waits() -> None:
    decision = decided(SEED, Page("Old\n", seeded("Old\n"), editor="sstein"))
    assert (decision.action, decision.reason) == ("keep", "sstein has it open in the editor")


def test_the_diff_shows_the_texts_of_written_pages_only() -> None:
    kept = decided(SEED, Page("Mine\n", LogEntry("E", "sstein", "")))
    updated = decided(SEED, Page("Old\n", seeded("Old\n")))
    assert diff([kept, updated]) == [
        {
            "before_header": SEED.id,
            "after_header": SEED.id,
            "before": "Old\n",
            "after": "New text\n",
        }
    ]


@pytest.mark.parametrize("name", ["start", "safety:requirements", "a.b:c-d_e:9"])
def test_ids_that_dokuwiki_keeps_are_taken(name: str) -> None:
    assert seeds_of([{"id": name, "content": "\r\nText\r\nmore"}]) == [Seed(name, "Text\nmore\n")]


@pytest.mark.parametrize(
    "name", ["", "Start", "safety rules", ":start", "start:", "a::b", "a__b", "_a", "ä", "../etc/passwd", "a/b", "a\n"]
)
def test_ids_that_dokuwiki_would_change_are_refused_with_the_cure(name: str) -> None:
    with pytest.raises(WikiError, match="is no page id: write it with a-z, 0-9"):
        seeds_of([{"id": name, "content": "Text"}])


@given(name=st.text())
def test_no_id_leads_out_of_the_wiki(name: str) -> None:
    try:
        seeds_of([{"id": name, "content": "Text"}])
    except WikiError:
        return
    parts = name.split(":")
    assert all(part and not part.startswith(".") and "/" not in part for part in parts)


def test_a_page_given_twice_or_empty_is_refused() -> None:
    with pytest.raises(WikiError, match="twice"):
        seeds_of([{"id": "start", "content": "A"}, {"id": "start", "content": "B"}])
    with pytest.raises(WikiError, match="deletion"):
        seeds_of([{"id": "start", "content": " \n "}])


@given(line=st.text())
def test_any_line_is_an_entry_or_none(line: str) -> None:
    entry = log_entry(line)
    assert entry is None or line.count("\t") >= 5


def test_a_change_log_line_is_read() -> None:
    line = "1795435349\t10.0.0.1\tE\tsafety:requirements\tsstein\tnew rule\t\t12\n"
    assert log_entry(line) == LogEntry("E", "sstein", "new rule")


@pytest.fixture
def wiki(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wiki:
    """A wiki whose program is a stand-in that writes the files that DokuWiki does."""
    (tmp_path / "data" / "pages").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "dwpage.php").touch()

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[:5] == ["runuser", "-u", "root", "--", "php"]
        if command[5].endswith("dwpage.php"):
            author, summary, draft, page = command[7], command[10], command[11], command[12]
            path = page.replace(":", "/")
            text = tmp_path / "data" / "pages" / f"{path}.txt"
            changes = tmp_path / "data" / "meta" / f"{path}.changes"
            for file in (text, changes):
                file.parent.mkdir(parents=True, exist_ok=True)
            kind = "E" if text.exists() else "C"
            shutil.copy(draft, text)
            with changes.open("a") as log:
                log.write(f"1\t0.0.0.0\t{kind}\t{page}\t{author}\t{summary}\t\t1\n")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(os, "chown", lambda *_: None)
    return Wiki(tmp_path / "data", tmp_path, "root")


def test_a_second_run_finds_nothing_to_do(wiki: Wiki) -> None:
    assert converge(wiki, [SEED], check_mode=True)["created"] == [SEED.id]
    assert converge(wiki, [SEED], check_mode=False)["created"] == [SEED.id]
    assert converge(wiki, [SEED], check_mode=False)["changed"] is False
    assert converge(wiki, [Seed(SEED.id, "Newer\n")], check_mode=False)["updated"] == [SEED.id]
    log = wiki.data_dir / "meta" / "safety" / "requirements.changes"
    with log.open("a") as lines:
        lines.write(f"2\t10.0.0.1\tE\t{SEED.id}\tsstein\tmine\t\t1\n")
    result = converge(wiki, [SEED], check_mode=False)
    assert result["changed"] is False
    assert result["kept"] == [{"id": SEED.id, "reason": "edited by sstein"}]


def test_an_editors_lock_holds_for_a_quarter_of_an_hour(wiki: Wiki) -> None:
    lock = wiki.data_dir / "locks" / f"{hashlib.md5(b'start', usedforsecurity=False).hexdigest()}.lock"
    lock.parent.mkdir()
    lock.write_text("sstein")
    assert wiki.read("start").editor == "sstein"
    os.utime(lock, (0, time.time() - 1000))
    assert wiki.read("start").editor is None


def test_a_host_without_dokuwiki_is_refused_but_can_be_tried(tmp_path: Path) -> None:
    absent = Wiki(tmp_path / "data", tmp_path, "root")
    with pytest.raises(WikiError, match="install the package dokuwiki"):
        converge(absent, [SEED], check_mode=False)
    assert converge(absent, [SEED], check_mode=True)["created"] == [SEED.id]


def test_a_save_that_did_not_happen_is_an_error(wiki: Wiki, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 0, "", ""))
    with pytest.raises(WikiError, match="did not save"):
        converge(wiki, [SEED], check_mode=False)
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", "Page start is locked\n")
    )
    with pytest.raises(WikiError, match="Page start is locked"):
        converge(wiki, [SEED], check_mode=False)


def test_the_module_tells_what_it_would_do(run_module: Callable[..., dict[str, Any]], wiki: Wiki) -> None:
    arguments = {
        "pages": [{"id": "start", "content": "Hello"}],
        "data_dir": str(wiki.data_dir),
        "program_dir": str(wiki.program_dir),
        "owner": "root",
    }
    told = run_module("dokuwiki_page", arguments, check=True)
    assert (told["changed"], told["created"], told["kept"]) == (True, ["start"], [])
    refused = run_module("dokuwiki_page", {**arguments, "pages": [{"id": "Start", "content": "Hello"}]})
    assert refused["failed"]
    assert "is no page id" in refused["msg"]
