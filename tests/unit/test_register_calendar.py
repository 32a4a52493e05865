# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs out comes into a calendar at a secret address, for as long as whose it is belongs to the staff."""

import dataclasses
import logging
import re
from datetime import date

import pytest
from icalendar import Calendar

from tests.register_site import database, logged_in

SESSION = {
    "id": "s1", "about": "requirement:safety", "date": "2026-05-01", "by": "thomas", "form": "oral", "state": "held",
    "person": ["aadler"], "step": "make",
}  # fmt: skip


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).replace("&#x27;", "'")


def made(browser, **headers):
    page = browser.post("/calendar/", {"step": "renew"}, headers=headers).content.decode()
    return re.search(r'value="https?://testserver(/calendar/[^"]+\.ics)"', page)[1]


def fetched(address, **headers):
    from django.test import Client

    return Client().get(address, headers=headers)


def listed(answer):
    assert answer.status_code == 200 and answer["Content-Type"] == "text/calendar; charset=utf-8"
    return {str(one["SUMMARY"]): one for one in Calendar.from_ical(answer.content).walk("VEVENT")}


def test_a_calendar_shows_whose_what_ends_and_no_login(browser):
    browser.post("/sessions/new/", SESSION)
    answer = fetched(made(browser))
    events = listed(answer)
    assert set(events) == {"Adler, Änne: safety briefing"}
    event = events["Adler, Änne: safety briefing"]
    assert event.decoded("DTSTART") == date(2026, 7, 1) and str(event["TRANSP"]) == "TRANSPARENT"
    for personal in ("aadler", "example.org", "neuro", "s1"):
        assert personal not in answer.content.decode()


def test_an_event_that_moves_keeps_its_uid_and_one_that_does_not_gives_304(browser):
    browser.post("/sessions/new/", SESSION)
    address = made(browser)
    first = fetched(address)
    again = fetched(address, **{"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    browser.post("/sessions/new/", {**SESSION, "id": "s2", "date": "2026-05-15"})
    second = fetched(address, **{"If-None-Match": first["ETag"]})
    assert second.status_code == 200
    before, after = (listed(one)["Adler, Änne: safety briefing"] for one in (first, second))
    assert (before["UID"], before.decoded("DTSTART")) == (after["UID"], date(2026, 7, 1))
    assert after.decoded("DTSTART") == date(2026, 7, 15)


def test_two_events_never_share_a_uid(browser):
    browser.post("/sessions/new/", {**SESSION, "person": ["aadler", "bbaer"]})
    browser.post("/sessions/new/", {**SESSION, "id": "s3", "about": "instrument:lamp"})
    events = listed(fetched(made(browser))).values()
    assert len(events) == 3 and len({str(one["UID"]) for one in events}) == 3


def test_the_address_is_shown_once_and_its_secret_is_kept_nowhere(browser):
    from facility.register.models import CalendarAddress

    address = made(browser)
    secret = address.removeprefix("/calendar/").removesuffix(".ics")
    assert len(secret) == 22  # 128 bits in base64
    assert secret not in browser.get("/calendar/").content.decode()
    assert "You have an address, made on" in text(browser.get("/calendar/"))
    kept = b"".join(file.read_bytes() for file in database().parent.glob("register.sqlite3*"))
    assert secret.encode() not in kept
    assert CalendarAddress.objects.get().login == "stefan"


def test_a_new_address_ends_the_one_before_and_one_that_was_ended_stays_so(browser):
    first = made(browser)
    second = made(browser)
    assert first != second
    assert (fetched(first).status_code, fetched(second).status_code) == (404, 200)
    browser.post("/calendar/", {"step": "revoke"})
    assert fetched(second).status_code == 404
    assert "Make an address" in text(browser.get("/calendar/"))


def test_each_of_the_staff_has_an_address_of_their_own(browser):
    mine, theirs = made(browser), made(logged_in("thomas", staff=True))
    browser.post("/calendar/", {"step": "revoke"})
    assert (fetched(mine).status_code, fetched(theirs).status_code) == (404, 200)


@pytest.mark.parametrize("lost", ["is_staff", "is_active"])
def test_who_is_no_longer_staff_has_no_calendar_any_more_also_when_they_come_back(browser, lost):
    from django.contrib.auth.models import User

    address = made(browser)
    User.objects.filter(username="stefan").update(**{lost: False})
    assert fetched(address).status_code == 404
    User.objects.filter(username="stefan").update(**{lost: True})
    assert fetched(address).status_code == 404


@pytest.fixture
def address(browser):
    """The address of Stefan's calendar."""
    return made(browser)


@pytest.fixture
def directory(address, monkeypatch):
    """A directory that is asked and may be down; give what it is to answer, and whom it was asked about."""
    from django.conf import settings
    from django_auth_ldap.backend import LDAPBackend

    from facility.register.log_in import DirectoryError

    asked = []
    answer = {}

    def populate(_backend, name):
        asked.append(name)
        if answer.get("down"):
            raise DirectoryError("no route")
        return answer["user"]

    monkeypatch.setattr(LDAPBackend, "populate_user", populate)
    monkeypatch.setattr(settings, "FACILITY", dataclasses.replace(settings.FACILITY, directory_uris="ldaps://dc1"))
    return answer, asked


def test_the_directory_is_asked_again_after_some_minutes_and_decides(address, directory):
    from datetime import timedelta

    from django.contrib.auth.models import User
    from django.db.models import F

    from facility.register.models import CalendarAddress

    answer, asked = directory
    answer["user"] = User.objects.get(username="stefan")
    assert [fetched(address).status_code for _ in range(3)] == [200] * 3
    assert asked == ["stefan"]
    answer["user"] = None
    CalendarAddress.objects.update(asked_at=F("asked_at") - timedelta(seconds=301))
    assert fetched(address).status_code == 404
    assert not CalendarAddress.objects.exists()


def test_while_the_directory_is_down_who_was_staff_still_is(address, directory):
    from django.contrib.auth.models import User

    directory[0]["down"] = True
    assert fetched(address).status_code == 200
    User.objects.filter(username="stefan").update(is_staff=False)
    assert fetched(address).status_code == 404


def test_a_calendar_is_in_the_language_of_who_made_its_address(browser):
    german = made(browser, **{"Accept-Language": "de"})
    named = Calendar.from_ical(fetched(german, **{"Accept-Language": "en"}).content)
    assert str(named["X-WR-CALNAME"]) == "Small facility: was abläuft"


@pytest.mark.parametrize("address", ["/calendar/x.ics", "/calendar/%00.ics", f"/calendar/{'a' * 500}.ics"])
@pytest.mark.usefixtures("site")
def test_a_guessed_address_is_none(address):
    assert fetched(address).status_code == 404


def test_the_journal_never_has_an_address(browser, caplog):
    from django.conf import settings

    from facility.register.journal import SecretAddresses

    used = settings.LOGGING["handlers"]["journal"]["filters"]
    assert settings.LOGGING["filters"][used[0]]["()"].endswith(SecretAddresses.__name__)
    secret = "aBcDeFgHiJkLmNoPqRsTuV"
    with caplog.at_level(logging.INFO), caplog.filtering(SecretAddresses()):
        assert fetched(f"/calendar/{secret}.ics").status_code == 404
    assert "/calendar/…" in caplog.text and secret not in caplog.text


def test_who_is_erased_leaves_no_address(browser):
    from facility.register import calendar_feed, erasure
    from facility.register.models import CalendarAddress, Standing

    calendar_feed.renew("aadler")
    Standing.objects.filter(login="aadler").update(state="denied")
    assert b"calendar_made" in b"".join(_unpacked(erasure.archive("aadler")))
    erasure.erase("aadler", "stefan")
    assert not CalendarAddress.objects.exists()


def _unpacked(archive):
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        return [packed.read(name) for name in packed.namelist()]
