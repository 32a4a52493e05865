# SPDX-License-Identifier: GPL-3.0-or-later
"""The drive that people find at log-on: a script of the facility's, and nothing that was slipped into it."""

from __future__ import annotations

import hashlib

import pytest

from facility.device_pc.drive import COMMAND, DriveError, difference, script

SHARE = r"\\omero1.imaging.example.org\dropbox"


def answer(content, command=COMMAND):
    text = (
        f"SHA256-Hash von map-drive.js:\r\n{hashlib.sha256(content).hexdigest()}\r\nCertUtil: ok\r\n" if content else ""
    )
    text += f"\r\n@command {COMMAND}\r\n"
    key = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Run"
    return text + (f"\r\n{key}\r\n    FacilityDrive    REG_SZ    {command}\r\n\r\n" if command else "")


def test_a_pc_that_has_it_needs_nothing():
    assert not difference(answer(script("X", SHARE)), script("X", SHARE)).changed


@pytest.mark.parametrize(
    ("content", "command"),
    [
        (None, None),
        (b"something else", COMMAND),
        (script("Y", SHARE), COMMAND),
        (script("X", SHARE), "calc.exe"),
        (script("X", SHARE), None),
    ],
)
def test_whatever_differs_is_set_right(content, command):
    assert difference(answer(content, command), script("X", SHARE)).changed


def test_what_is_not_wanted_goes():
    steps = difference(answer(script("X", SHARE)), None)
    assert [change.action for change in steps.changes] == ["delete", "delete"]
    assert steps.changes[0].key == "at log-on", "Windows must not start what is gone"
    assert not difference(answer(None, None), None).changed


def test_the_script_maps_the_share():
    text = script("X", SHARE).decode()
    assert r'MapNetworkDrive("X:", "\\\\omero1.imaging.example.org\\dropbox", false)' in text


@pytest.mark.parametrize(
    ("letter", "share"),
    [
        ("x", SHARE),
        ("C", SHARE),
        ("XY", SHARE),
        ("X", r"\\host\share" + '"); evil("'),
        ("X", "//host/share"),
        ("X", r"\\h"),
    ],
)
def test_what_is_no_drive_is_refused(letter, share):
    with pytest.raises(DriveError):
        script(letter, share)
