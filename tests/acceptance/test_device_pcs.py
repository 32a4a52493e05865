# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody sits down at an instrument, and PPMS counts; that person leaves, and PPMS stops counting."""

from __future__ import annotations

import subprocess
import time

import pytest

from testbed.podman import podman
from testbed.standins.ppms.install import sessions
from tests.scenario import PATIENCE

PC, PPMS, SYSTEM = "mic1.imaging.example.org", "ppms1.imaging.example.org", "11"


@pytest.fixture
def fast_pc():
    """A minute at the PC takes a second; afterwards nobody sits there and its clock is true."""
    podman("exec", PC, "device-pc", "clock", "--speed", "60")
    yield
    podman("exec", PC, "device-pc", "log-off")
    podman("exec", PC, "device-pc", "clock", "--true")


def counted(login):
    return [entry for entry in sessions(PPMS) if (entry["system"], entry["login"]) == (SYSTEM, login)]


def waited(true, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.5)
    return value


@pytest.mark.usefixtures("fast_pc")
def test_a_log_on_becomes_a_session_and_ends_at_log_off():
    podman("exec", PC, "device-pc", "log-on", r"IMAGING\ccosta")
    waited(lambda: counted("ccosta") and counted("ccosta")[-1]["minutes"] >= 3)
    podman("exec", PC, "device-pc", "log-off")
    time.sleep(4)
    minutes = counted("ccosta")[-1]["minutes"]
    time.sleep(4)
    assert counted("ccosta")[-1]["minutes"] == minutes


def test_whoever_logs_on_to_any_pc_is_told_where_drive_x_is():
    key = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run"
    answer = podman("exec", PC, "device-pc", "run", "--", f"reg query {key} /v FacilityDrive")
    assert r"C:\Program Files\Facility\map-drive.js" in answer
    script = podman("exec", PC, "device-pc", "run", "--", r'type "%ProgramFiles%\Facility\map-drive.js"')
    assert r"\\\\omero1.imaging.example.org\\dropbox" in script


def test_a_pc_that_is_off_is_told_and_stops_no_other(repository):
    podman("exec", "mic2.imaging.example.org", "device-pc", "fault", "winrm-off")
    try:
        command = ["ansible-playbook", "playbooks/devices.yml"]
        done = subprocess.run(command, cwd=repository, check=False, capture_output=True, text=True)
    finally:
        podman("exec", "mic2.imaging.example.org", "device-pc", "fault", "none")
    assert done.returncode != 0, done.stdout
    assert "some need a person" in done.stdout
    assert "mic2.imaging.example.org:5986: nobody listens there: WinRM is off" in done.stdout


def test_no_tracker_code_is_shown_by_a_run(repository):
    vault = (repository / "inventories/example/group_vars/device_pc/vault.yml").read_text()
    codes = [line.split(":")[1].strip().strip("'\"") for line in vault.splitlines() if line.startswith("  ")]
    assert len(codes) >= 6
    command = ["ansible-playbook", "playbooks/devices.yml", "--check", "--diff", "-vvv"]
    done = subprocess.run(command, cwd=repository, check=False, capture_output=True, text=True)
    # Whether a PC needs somebody is not asked here; that the playbook came to its end is.
    assert "all as wished" in done.stdout or "some need a person" in done.stdout, done.stdout
    assert not [code for code in codes if code in done.stdout + done.stderr]
