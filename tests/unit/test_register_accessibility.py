# SPDX-License-Identifier: GPL-3.0-or-later
"""Everybody can read and reach every page of the register: WCAG 2.1 A and AA as axe-core tells them, in Chromium.

In German and English, on a phone and on a desk, with light and dark colours; also what a form shows when it is
previewed or makes no sense.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.acceptance.browser import Browser
from tests.live_register import SESSION_COOKIE, served
from tests.people_facts import facility
from tests.unit.test_people_policy_preview import STRICT, as_file

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa")
SCREENS = (320, 1280)
"""WCAG's own narrow screen (1.4.10), and a desk's."""
PEOPLE = "login;given_name;family_name;mail;research_group\ncnew;Carla;Neu;c@example.org;{group}\n"
SESSIONS = "login;about;date;by;result\naadler;{about};2026-06-10;thomas;attended\n"
NEW = {"given_name": "Dora", "family_name": "Adler", "mail": "d@example.org", "kind": "researcher",
       "research_group": "neuro", "step": "preview"}  # fmt: skip
PASSWORD = {"old": "x", "new": "Four-Words-And-1-Digit", "repeated": "Four-Words-And-1-Digit"}
SESSION = {"id": "s7", "about": "requirement:safety", "date": "2026-06-15", "by": "thomas", "form": "oral",
           "state": "held", "person": "aadler", "step": "preview"}  # fmt: skip
EXCEPTION = {"about": "requirement:laser", "from": "2026-06-15", "until": "2026-06-20", "reason": "ill",
             "step": "preview"}  # fmt: skip
BLOCK = {"about": "door:wiki", "from": "2026-06-15", "reason": "leave", "step": "preview"}


class Shown(NamedTuple):
    """A page as somebody sees it: an address, what is sent to it first, and from where, if it has no form itself."""

    address: str
    fields: dict[str, str] = {}  # noqa: RUF012 - never changed
    before: str = ""


PAGES = {
    "log-in": [Shown("/log-in/"), Shown("/log-in/", {"username": "stefan", "password": "wrong"})],
    "choose-password": [Shown("/password/"), Shown("/password/", {**PASSWORD, "code": "wrong"})],
    "forgotten": [Shown("/password/forgotten/"), Shown("/password/forgotten/", {"who": "nobody"})],
    "change-password": [Shown("/password/change/"), Shown("/password/change/", {**PASSWORD, "repeated": "another"})],
    "invite": [Shown("/people/aadler/invite/", {"how": "slip"}, "/people/aadler/")],
    "me": [Shown("/me/")],
    "people": [Shown("/people/"), Shown("/people/?q=nobody")],
    "new-person": [Shown("/new-person/"), Shown("/new-person/", {**NEW, "login": "dora"}), Shown("/new-person/", NEW)],
    "new-people": [
        Shown("/new-people/"),
        Shown("/new-people/", {"table": PEOPLE.format(group="neuro"), "step": "preview"}),
        Shown("/new-people/", {"table": PEOPLE.format(group="nuero"), "step": "preview"}),
    ],
    "person": [Shown("/people/aadler/"), Shown("/people/bbaer/"), Shown("/people/nobody/")],
    "change-person": [Shown("/people/aadler/change/"), Shown("/people/aadler/change/", {**NEW, "reason": "married"})],
    "exception": [Shown("/people/bbaer/exception/"), Shown("/people/bbaer/exception/", EXCEPTION)],
    "block": [Shown("/people/bbaer/block/"), Shown("/people/bbaer/block/", BLOCK)],
    "document": [Shown("/people/aadler/document/"), Shown("/people/aadler/document/", {"step": "preview"})],
    "planned": [Shown("/sessions/")],
    "session": [
        Shown("/sessions/new/?person=aadler&person=bbaer"), Shown("/sessions/new/", SESSION),
        Shown("/sessions/new/", {**SESSION, "date": "2026-06-16"}),
        Shown("/sessions/new/", {**SESSION, "step": "make"}),
    ],
    "new-sessions": [
        Shown("/new-sessions/"),
        Shown("/new-sessions/", {"table": SESSIONS.format(about="laser"), "step": "preview"}),
        Shown("/new-sessions/", {"table": SESSIONS.format(about="safety"), "step": "preview"}),
    ],
    "held": [Shown("/sessions/s8/held/"), Shown("/sessions/s8/held/", {"step": "preview"})],
    "expiring": [Shown("/expiring/?days=365")],
    "calendar": [Shown("/calendar/"), Shown("/calendar/", {"step": "renew"})],
    "matrix": [Shown("/matrix/")],
    "policy": [
        Shown("/policy/"),
        Shown("/policy/", {"file": as_file(STRICT).decode()}),
        Shown("/policy/", {"file": as_file(facility(time_zone="Mars")).decode()}),
    ],
}  # fmt: skip
NO_PAGES = {"start", "suggested", "proof", "export", "applied", "feed", "log-out", "revoke", "undo"}
"""They lead to another page, or give no page but a file or an answer to a program."""


@pytest.fixture
def filled(browser, monkeypatch):
    """An administrator's browser; there are people with facts of all kinds, and systems that follow or don't."""
    from dataclasses import replace
    from datetime import UTC, datetime

    from django.conf import settings
    from django.contrib.auth.models import User

    from facility.register.models import Applied

    told = {"password_unit": "OU=R,DC=x", "mail_server": "relay.example.org", "address": "https://register1/"}
    monkeypatch.setattr(settings, "FACILITY", replace(settings.FACILITY, **told))
    monkeypatch.setattr("facility.register.notices.later", lambda _work: None)
    User.objects.filter(username="stefan").update(is_superuser=True)
    posts = {
        "/sessions/new/": {**SESSION, "id": "s1", "date": "2026-05-01"}, "/people/bbaer/block/": BLOCK,
        "/people/bbaer/exception/": EXCEPTION,
    }  # fmt: skip
    for address, fields in posts.items():
        assert browser.post(address, {**fields, "step": "make"}).status_code == 302
    planned = {**SESSION, "id": "s8", "state": "planned", "step": "make"}
    assert browser.post("/sessions/new/", planned).status_code == 302
    assert browser.post("/facts/s1-1/revoke/", {"person": "aadler", "reason": "she was ill"}).status_code == 302
    assert browser.post("/sessions/new/", {**SESSION, "id": "s2", "step": "make"}).status_code == 302
    for system, act, error in (("directory", 99, ""), ("PPMS", 0, ""), ("wiki", 0, "does not answer")):
        Applied.objects.create(system=system, act=act, error=error, at=datetime.now(UTC))
    return browser


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    """One browser for all pages: starting it takes longer than they do."""
    room = tmp_path_factory.mktemp("browser")
    with Browser.opened(room / "home", room / "profile", room) as opened:
        yield opened


@pytest.fixture
def chromium(window):
    """The browser without cookies of an earlier page."""
    window.forget()
    return window


@pytest.mark.usefixtures("site")
def test_no_page_is_left_out():
    from facility.register.urls import urlpatterns

    assert {one.name for one in urlpatterns} == PAGES.keys() | NO_PAGES


def test_what_is_said_to_be_no_page_is_none(filled):
    from facility.register.urls import urlpatterns
    from tests.unit.test_register_pages import addresses

    assert {one.name for one in urlpatterns} >= NO_PAGES
    for name, address in addresses():
        if name in NO_PAGES:
            answer = filled.get(address)
            is_page = answer.status_code == 200 and answer["Content-Type"].startswith("text/html")
            assert not is_page, name


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("route", PAGES)
def test_everybody_can_read_and_reach_all_of_a_page(filled, chromium, route, language):
    found = []
    with served() as root:
        chromium.speaks(language)
        chromium.visit(f"{root}/log-in/")
        if route != "log-in":
            chromium.is_logged_in(SESSION_COOKIE, filled.cookies[SESSION_COOKIE].value)
        for address, fields, before in PAGES[route]:
            chromium.visit(f"{root}{before or address}")
            if fields:
                chromium.send(f"{root}{address}", fields)
            assert chromium.sees("h1"), (address, chromium.text)
            for width in SCREENS:
                for dark in (False, True):
                    chromium.looks(width=width, dark=dark)
                    seen = f"{address} with {sorted(fields)}, {width} px, {'dark' if dark else 'light'}"
                    found += [f"{seen}: {barrier}" for barrier in chromium.barriers(*RULES)]
                    if chromium.scrolls_sideways:
                        found.append(f"{seen}: is wider than the screen")
    assert found == []


@pytest.mark.parametrize(
    ("mistake", "barrier"),
    [
        ('<p style="color: #999; background: #fff">pale</p>', "color-contrast"),
        ('<input name="nameless">', "label"),
        ("<button></button>", "button-name"),
        ('<p style="width: 3000px">wide</p>', "is wider"),
    ],
)
def test_a_page_with_a_barrier_is_found(chromium, tmp_path, mistake, barrier):
    page = tmp_path / "page.html"
    page.write_text(f'<!doctype html><html lang="en"><title>Page</title><main><h1>Page</h1>{mistake}</main></html>')
    chromium.visit(page.as_uri())
    chromium.looks(width=320, dark=False)
    found = [*chromium.barriers(*RULES), *(["is wider"] if chromium.scrolls_sideways else [])]
    assert [one for one in found if one.startswith(barrier)]
