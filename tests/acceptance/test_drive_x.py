# SPDX-License-Identifier: GPL-3.0-or-later
"""From drive X into OMERO: a researcher copies a folder, and finds the images in the browser."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from tests.acceptance.browser import Browser
from tests.acceptance.drive import Drive, imported, imports, picture, settled

RESEARCHER, COLLEAGUE, EXPIRED = "eerdogan", "ccosta", "oolsen"


@pytest.fixture(scope="module")
def copied(omero_host: str, password_of: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a folder with three images and a note that the researcher copied to X: and that arrived."""
    folder = tmp_path_factory.mktemp("copied") / f"Zellen {uuid.uuid4().hex[:6]}"
    folder.mkdir()
    for number in (1, 2, 3):
        picture(folder / f"Zelle {number}.png", number + 2)
    (folder / "notes.txt").write_text("objective 63x\n")
    Drive(omero_host, RESEARCHER, password_of(RESEARCHER)).copy(folder)
    return folder.name


def test_copied_images_are_imported_each_once_and_the_note_is_not(copied):
    prefix = f"{RESEARCHER}/{copied}/"
    assert imported(RESEARCHER, prefix, 3) == [f"{prefix}Zelle {number}.png" for number in (1, 2, 3)]
    assert settled(RESEARCHER, copied) == "done"


def test_the_images_belong_to_the_researcher(copied):
    imported(RESEARCHER, f"{RESEARCHER}/{copied}/", 3)
    owners = {image["owner"] for image in imports(RESEARCHER)["images"]}
    assert owners == {RESEARCHER}


def test_the_folder_on_the_drive_is_free_again(copied, omero_host, password_of):
    imported(RESEARCHER, f"{RESEARCHER}/{copied}/", 3)
    listed = Drive(omero_host, RESEARCHER, password_of(RESEARCHER)).run(f"cd {RESEARCHER}", "ls")
    assert copied not in listed.stdout


def test_a_colleague_finds_neither_the_folder_nor_what_is_in_it(omero_host, password_of):
    drive = Drive(omero_host, COLLEAGUE, password_of(COLLEAGUE))
    assert RESEARCHER not in drive.run("ls").stdout
    assert drive.run(f"cd {RESEARCHER}", "ls").returncode != 0


def test_an_expired_account_gets_no_drive(omero_host, password_of):
    done = Drive(omero_host, EXPIRED, password_of(EXPIRED)).run("ls")
    assert done.returncode != 0
    assert "NT_STATUS_ACCOUNT_EXPIRED" in done.stdout


def test_the_researcher_sees_the_images_in_the_browser(browser: Browser, copied, omero_host, password_of):
    imported(RESEARCHER, f"{RESEARCHER}/{copied}/", 3)
    _log_in(browser, omero_host, RESEARCHER, password_of(RESEARCHER))
    assert browser.unfolds(".jstree-anchor", "Orphaned Images", "Zelle 3.png")
    assert browser.shows_picture("#dataIcons img, .iconTable img, li.row img")
    browser.keep_picture("omero-web-orphaned-images")
    assert browser.complaints == []


def test_an_expired_account_does_not_get_into_omero_web(browser: Browser, omero_host, password_of):
    _log_in(browser, omero_host, EXPIRED, password_of(EXPIRED))
    assert browser.sees("input[name=password]")


def _log_in(browser: Browser, host: str, login: str, password: str) -> None:
    browser.visit(f"https://{host}/webclient/login/")
    browser.fill("input[name=username]", login)
    browser.fill("input[name=password]", password)
    browser.press("input[type=submit], button[type=submit]")


def test_a_wrong_password_opens_neither_drive_nor_browser(browser: Browser, omero_host):
    assert Drive(omero_host, RESEARCHER, "Not-the-password-1").run("ls").returncode != 0
    _log_in(browser, omero_host, RESEARCHER, "Not-the-password-1")
    assert browser.sees("input[name=password]")
