# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run writes on a PC lies in a folder of its own, closed before anything is in it, with a new name each time."""

from __future__ import annotations

import re

import pytest

from facility.device_pc import drive
from facility.device_pc.agent.agent import FOLDER, AgentError, AnswerError, observed, question
from facility.device_pc.agent.options import AGENT, wish
from facility.device_pc.agent.pc import ask, converge
from facility.device_pc.command import Scratch
from facility.device_pc.logon import protocol
from tests.fake_device_pc import FakePc

_WRITTEN = [
    re.compile(r'>>?"([^"]+)"'),
    re.compile(r'-(?:en|de)code "[^"]+" "([^"]+)"'),
    re.compile(r'/save "([^"]+)"'),
]
_RUN_OR_READ = [re.compile(r'//E:\w+ "([^"]+)"'), re.compile(r'/xml "([^"]+)"'), re.compile(r'(?:type|-f) "([^"]+)"')]
_CLOSED = r"/inheritance:r /grant:r \*S-1-5-18:\(OI\)\(CI\)F \*S-1-5-32-544:\(OI\)\(CI\)F"


@pytest.fixture
def lines(tmp_path):
    """All that a PC is told: a look, a deployment, the drive, and the log-on."""
    for name in ("ppms-agent.vbs", "ppms-agent.js"):
        (tmp_path / name).write_text("WScript.Echo 1\n")
    given = {name: spec.get("default") for name, spec in AGENT.items()}
    given |= {"host": "mic1", "tracker_url": "https://p.example.org/rt.asp", "system_id": 1, "tracker_code": "c0de"}
    agent, drives = FakePc(), FakePc()
    for _ in range(2):
        ask(agent)
    converge(agent, wish(given, tmp_path), check_mode=False)
    drive._apply(drives, drive.script("X", r"\\omero1.example.org\dropbox"))
    return [*agent.commands, *drives.commands, protocol.command(asked=["S-1-5-4"])]


def folder_of(path):
    return path.rpartition("\\")[0]


def test_nothing_is_written_elsewhere_than_in_the_run_s_folder(lines):
    written = [path for line in lines for pattern in _WRITTEN for path in pattern.findall(line)]
    assert len(written) > 10
    assert {folder_of(path)[:-32] for path in written} == {r"%ProgramFiles%\Facility-run-"}


def test_what_is_run_or_read_lies_there_or_where_only_administrators_write(lines):
    used = [path for line in lines for pattern in _RUN_OR_READ for path in pattern.findall(line)]
    assert used
    for path in used:
        assert folder_of(path).startswith(r"%ProgramFiles%\Facility-run-") or folder_of(path) == FOLDER, path


def test_a_folder_is_closed_before_anything_lies_in_it(lines):
    made: set[str] = set()
    for line in lines:
        for path in re.findall(rf'mkdir "([^"]+)" && icacls "\1" {_CLOSED} /q >nul', line):
            assert path not in made
            assert all(line.index(path) <= match.start() for match in re.finditer(re.escape(path), line))
            made.add(path)
        for path in re.findall(r"%ProgramFiles%\\Facility-run-[0-9a-f]+", line):
            assert path in made, line
    assert len(made) >= 5, "each run has its own"


def test_nothing_is_left_of_a_run(lines):
    made = {path for line in lines for path in re.findall(r'mkdir "([^"]*Facility-run-[^"]+)"', line)}
    gone = {path for line in lines for path in re.findall(r'rmdir /s /q "([^"]*Facility-run-[^"*]+)"', line)}
    assert made <= gone


def test_a_name_can_not_be_guessed():
    names = {Scratch.new().path for _ in range(100)}
    assert len(names) == 100
    assert all(re.fullmatch(r"%ProgramFiles%\\Facility-run-[0-9a-f]{32}", name) for name in names)


def test_a_pc_on_which_no_folder_can_be_closed_is_told_and_asked_nothing():
    line = question(Scratch.new())
    before = line.index("&& (")
    assert "cscript" not in line[:before], "nothing runs before the folder is closed"
    with pytest.raises(AgentError, match="closed below %ProgramFiles%"):
        observed("@closed\r\n")


def test_a_full_disk_and_an_answer_that_broke_off_are_told_apart():
    with pytest.raises(AnswerError, match="disk full"):
        observed("@settings\r\n\r\n@shown\r\n")
    with pytest.raises(AnswerError, match="broke off"):
        observed("@settings\r\n")
