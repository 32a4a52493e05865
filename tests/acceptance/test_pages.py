# SPDX-License-Identifier: GPL-3.0-or-later
"""Staff record a person and her briefings in a browser, and every door follows, also when she leaves and is erased."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import testinfra

from facility.ppms.pumapi import Ppms
from testbed.podman import podman
from tests.acceptance.browser import Browser
from tests.acceptance.register import EXAMPLE, REPOSITORY, demo_password, play, remove_account

REGISTER = "register1.imaging.example.org"
ROOT = f"https://{REGISTER}"
CONFOCAL = 11


def follow() -> str:
    """What the controller does each minute; return what it says, which is nothing when nothing is due."""
    playbook = ["ansible-playbook", "-i", str(EXAMPLE / "hosts.yml"), "playbooks/people.yml"]
    command = [sys.executable, "-m", "facility.people", "follow", "--inventory", str(EXAMPLE), "--", *playbook]
    environment = {**os.environ, "PYTHONPATH": "src"}
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1] if done.stdout else ""


def command_of_register(*arguments: str) -> str:
    return podman("exec", REGISTER, "facility-register", *arguments)


class Desk:
    """A member of the staff at the pages."""

    def __init__(self, browser: Browser, login: str) -> None:
        self.browser = browser
        browser.visit(f"{ROOT}/log-in/")
        browser.fill("#id_username", login)
        browser.fill("#id_password", demo_password(login))
        browser.press("main button")

    def record(self, expected: str = "", picture: str = "") -> None:
        """Have the preview, see what it should show, and record it."""
        self.browser.press("button[value=preview]")
        words = " ".join(self.browser.text.replace("✗", "").replace("✓", "").split())
        assert expected in words, words
        if picture:
            self.browser.keep_picture(picture)
        self.browser.press("button[value=make]")
        assert "Recorded." in self.browser.text, self.browser.text

    def attended(self, login: str, about: str, by: str, form: str = "oral") -> None:
        """Record that somebody was in a session today."""
        self.browser.visit(f"{ROOT}/sessions/new/?about={about}&person={login}&by={by}&form={form}")
        self.record()


@pytest.fixture
def person(browser: Browser, tmp_path: Path) -> Iterator[str]:
    """A login that nobody had; everything of it is gone afterwards."""
    login = f"page{int(time.time()) % 10**8}"
    yield login
    browser.visit(f"{ROOT}/people/{login}/change/")
    if "Not Found" not in browser.text:
        yesterday = time.strftime("%m%d%Y", time.localtime(time.time() - 86400 * 2))
        browser.fill("#valid_until", yesterday)
        browser.fill("#reason", "the test is over")
        browser.press("button[value=preview]")
        browser.press("button[value=make]")
        command_of_register("erase_person", login, "--confirm", login)
    remove_account(tmp_path / "site", login)
    follow()


def test_she_is_added_briefed_and_trained_in_a_browser_and_the_doors_follow_until_she_leaves(
    browser: Browser,
    person: str,
    doors: Callable[[str, str], set[str]],
    ppms: Ppms,
) -> None:
    desk = Desk(browser, "sstein")
    browser.press("a.button[href$='/new-person/']")
    for field, words in {
        "#given_name": "Paula", "#family_name": "Page", "#login": person, "#mail": f"{person}@neuro.example.org",
        "#valid_until": "12312027",
    }.items():  # fmt: skip
        browser.fill(field, words)
    browser.choose("#research_group", "neuro")
    desk.record("Wiki shut → open")
    assert "the register has moved" in follow()
    # Nobody knows a password of hers: she chooses one, with the slip that staff hand over.
    assert not (EXAMPLE / "secrets/initial-passwords" / person).exists()
    browser.visit(f"{ROOT}/people/{person}/")
    browser.press("button[value=slip]")
    browser.keep_picture("register-slip")
    (code,) = re.findall(r"(?:[A-Z2-7]{5}-){5}[A-Z2-7]", browser.text)
    browser.press("header button")
    password = "Paulas-Four-Words-1"
    browser.visit(f"{ROOT}/password/#{code}")
    for field in ("#new", "#repeated"):
        browser.fill(field, password)
    browser.keep_picture("register-choose-password")
    browser.press("main button")
    assert "Your password is set" in browser.text
    desk = Desk(browser, "sstein")
    assert doors(person, password) == {"wiki"}
    assert ppms.rights(CONFOCAL)[person] == "D"

    browser.visit(f"{ROOT}/people/{person}/")
    assert "the yearly safety briefing: never recorded" in browser.text
    browser.keep_picture("register-person")
    # From the door that is shut to the record: three clicks.
    browser.press("a[href*='about=requirement:safety-briefing']")
    desk.record("Drive X shut → open", picture="register-preview")
    desk.attended(person, "requirement:laser-safety", "tthoma", "electronic")
    desk.attended(person, "instrument:confocal-1", "tthoma")
    assert "the register has moved" in follow()
    assert doors(person, password) == {"wiki", "share", "omero"}
    assert ppms.rights(CONFOCAL)[person] == "A"
    assert follow() == ""
    browser.visit(f"{ROOT}/people/{person}/")
    words = " ".join(browser.text.split())
    assert "directory: follows" in words and "PPMS: follows" in words
    wiki = testinfra.get_host("podman://wiki1.imaging.example.org")
    upcoming = wiki.check_output("cat /var/lib/dokuwiki/data/pages/reminders/upcoming.txt")
    assert "====== What ends soon ======" in upcoming and person not in upcoming

    leaves = ["-e", f"person={person}", "-e", "by=sstein", "-e", "images_to=aadler"]
    status, output = play(EXAMPLE, "ops/offboard_person.yml", *leaves)
    assert status == 0, output
    assert f"Images of {person} that are aadler's now, by group: {{}}" in output, "there were none"
    assert doors(person, password) == set()
    assert ppms.rights(CONFOCAL)[person] == "D"
    assert browser.complaints == []


def test_a_researcher_sees_the_own_doors_and_no_page_of_the_staff(browser: Browser, authority: Path) -> None:
    desk = Desk(browser, "aadler")
    assert "My doors" in desk.browser.text and "Confocal microscope 1" in desk.browser.text
    browser.keep_picture("register-my-doors")
    browser.visit(f"{ROOT}/people/bbergstroem/")
    assert "403" in browser.text
    assert requests.get(f"{ROOT}/export", verify=authority, timeout=30).status_code == 403
