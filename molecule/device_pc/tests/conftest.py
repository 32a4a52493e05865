# SPDX-License-Identifier: GPL-3.0-or-later
"""The PC as the controller sees it over WinRM, and as somebody sees who sits there."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
import testinfra

REPOSITORY = Path(__file__).parents[3]
EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
sys.path += [str(REPOSITORY), str(REPOSITORY / "src")]

from facility.device_pc.agent.fleet import look_at  # noqa: E402
from facility.device_pc.agent.options import AGENT, wish  # noqa: E402
from facility.device_pc.agent.pc import converge  # noqa: E402
from facility.device_pc.options import endpoint  # noqa: E402
from facility.device_pc.winrm import DevicePc  # noqa: E402
from testbed.standins.ppms.install import sessions  # noqa: E402
from tests.scenario import PATIENCE  # noqa: E402

PROGRAMS = REPOSITORY / "roles/device_pc/files"
NAME = "mic1.device.test"
CODE = "c0de-mic1-8361"
SPEED = 60


class Pc:
    """One PC: what the facility can do from outside, and what happens there."""

    def __init__(self, name: str, code: str, system: int) -> None:
        self.code = code
        self.host = testinfra.get_host(f"podman://{name}")
        self.params = {option: spec.get("default") for option, spec in AGENT.items()} | {
            "host": name, "username": "facility-admin", "password": (EPHEMERAL / "pc-password").read_text().strip(),
            "ca_file": str(EPHEMERAL / "authority/ca.crt"), "tracker_url": "https://ppms1.device.test/rt.asp",
            "system_id": system, "tracker_code": code, "domains": ["IMAGING"], "ignored_logins": ["svc-scan"],
        }  # fmt: skip

    def look(self, *, probe=False, **other):
        return look_at(self.params | other, PROGRAMS, probe=probe)

    def deploy(self, *, check=False, **other):
        params = self.params | other
        with DevicePc(endpoint(params)) as pc:
            return converge(pc, wish(params, PROGRAMS), check_mode=check)

    def run(self, command):
        with DevicePc(endpoint(self.params)) as pc:
            return pc.run(command)

    def device(self, *words):
        line = " ".join(f"'{word}'" for word in words)
        return self.host.check_output(f"device-pc {line}")

    def person(self, command):
        return self.host.run("device-pc run --as person -- %s", command)


@pytest.fixture(scope="session")
def pc():
    return Pc(NAME, CODE, 11)


@pytest.fixture
def fast(pc, ppms):
    """A minute is a second; afterwards the clock is true, nobody sits there, and PPMS is well."""
    pc.device("clock", "--speed", str(SPEED))
    yield pc
    pc.device("log-off")
    pc.device("clock", "--true")
    ppms.check_output("ppms fault none")


@pytest.fixture
def mended(pc, until):
    """Whatever the test spoils is mended after it."""
    yield pc
    pc.device("fault", "none")
    until(lambda: pc.look()["reachable"])
    pc.deploy()


@pytest.fixture(scope="session")
def ppms():
    """The host of PPMS's stand-in."""
    return testinfra.get_host("podman://ppms1.device.test")


@pytest.fixture(scope="session")
def counted():
    """The sessions on this PC's instrument that PPMS counted."""

    def counted(login=None):
        found = [entry for entry in sessions("ppms1.device.test") if entry["system"] == "11"]
        return [entry for entry in found if login in {None, entry["login"]}]

    return counted


@pytest.fixture(scope="session")
def until():
    """Wait for something to come true, and give what it was."""

    def until(true, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while not (value := true()):
            assert time.monotonic() < end, f"not within {seconds} s"
            time.sleep(0.3)
        return value

    return until


@pytest.fixture(scope="session")
def ephemeral():
    """Where the scenario keeps its secrets, authority and kits."""
    return EPHEMERAL
