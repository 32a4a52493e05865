# SPDX-License-Identifier: GPL-3.0-or-later
"""People of the register open the wiki in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.browser import Browser

RESEARCHER, STAFF, EXPIRED = "aadler", "sstein", "oolsen"
SAFETY = "safety:requirements"
LOGIN_FORM, EDITOR, ERROR = "#dw__login", "#wiki__text", ".dokuwiki div.error"

Login = Callable[[str, str], None]


@pytest.fixture
def log_in(browser: Browser, wiki_url: str) -> Login:
    """Fill in the login form of the start page."""

    def log_in(login: str, password: str) -> None:
        browser.visit(f"{wiki_url}/start")
        browser.fill('#dw__login input[name="u"]', login)
        browser.fill('#dw__login input[name="p"]', password)
        browser.press("#dw__login button[type=submit]")

    return log_in


@pytest.fixture(autouse=True)
def nothing_was_complained_about(browser: Browser) -> Iterator[None]:
    """No page may make the browser complain: a script that our content policy refuses would show here."""
    yield
    # Chromium also notes what DokuWiki means: 403 for a refused login, 404 for a page that can still be written.
    meant = re.compile(r"/(start|users:\w+)(\?\S*)? - Failed to load resource: .* status of (403|404)")
    assert [line for line in browser.complaints if not meant.search(line)] == []


def test_a_stranger_gets_the_login_form(browser: Browser, wiki_url: str) -> None:
    browser.visit(f"{wiki_url}/{SAFETY}")
    assert browser.sees(LOGIN_FORM)
    assert "Form Z" not in browser.text
    browser.keep_picture("wiki-login")


def test_a_browser_that_does_not_know_the_authority_warns(tmp_path: Path, screenshots: Path, wiki_url: str) -> None:
    with Browser.opened(tmp_path, tmp_path / "stranger", screenshots) as suspicious:
        suspicious.visit(wiki_url)
        assert "ERR_CERT_AUTHORITY_INVALID" in suspicious.text
        assert not suspicious.sees(LOGIN_FORM)


def test_a_researcher_reads_the_rules_and_can_not_change_them(
    browser: Browser, log_in: Login, wiki_url: str, password_of: Callable[[str], str]
) -> None:
    log_in(RESEARCHER, password_of(RESEARCHER))
    assert RESEARCHER in browser.text
    assert not browser.sees(ERROR)
    browser.keep_picture("wiki-start")
    browser.visit(f"{wiki_url}/{SAFETY}")
    assert "Form Z" in browser.text
    browser.keep_picture("wiki-safety")
    assert not browser.sees("#dokuwiki__pagetools .edit")
    browser.visit(f"{wiki_url}/{SAFETY}?do=edit")
    # The source may be read; there is nothing to save it with.
    assert not browser.sees("#edbtn__save")
    browser.keep_picture("wiki-researcher-may-not-edit")


def test_a_wrong_password_is_refused(browser: Browser, log_in: Login) -> None:
    log_in(RESEARCHER, "not-the-password")
    assert browser.sees(ERROR)
    assert browser.sees(LOGIN_FORM)
    browser.keep_picture("wiki-wrong-password")


def test_an_expired_account_is_refused(browser: Browser, log_in: Login, password_of: Callable[[str], str]) -> None:
    log_in(EXPIRED, password_of(EXPIRED))
    assert browser.sees(ERROR)
    assert browser.sees(LOGIN_FORM)
    browser.keep_picture("wiki-expired-account")


def test_staff_change_a_page_and_take_it_back(
    browser: Browser, log_in: Login, wiki_url: str, password_of: Callable[[str], str]
) -> None:
    """On a page of its own, so that the facility's pages stay as they were seeded."""
    log_in(STAFF, password_of(STAFF))
    browser.visit(f"{wiki_url}/{SAFETY}?do=edit")
    assert browser.sees(f"{EDITOR}:not([readonly])")
    assert browser.sees("#edbtn__save")
    browser.keep_picture("wiki-staff-may-edit")
    # Leave without saving, or the page would be locked for the next quarter of an hour.
    browser.press("button[name='do[cancel]'], button[name='do[draftdel]']")
    for words in ("====== Trial ======\nWritten by a browser test.", ""):
        browser.visit(f"{wiki_url}/users:browser_test?do=edit")
        browser.fill(EDITOR, words)
        browser.press("#edbtn__save")
        assert ("Written by a browser test." in browser.text) == bool(words)
