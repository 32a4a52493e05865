# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that changes the group Users does in Wine, over WinRM, what the PC in memory believes it does."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from facility.device_pc.logon.options import script
from testbed.podman import podman
from testbed.standins.device_pc.device_pc_standin.local_groups import LocalGroups, given
from tests.conformance.pc import Host
from tests.logon_pc import CASES, as_json, check

FOLDER = "/var/lib/device-pc/prefix/drive_c/Program Files/Facility"


@pytest.fixture(scope="module")
def connection(host: Host) -> Iterator[dict[str, object]]:
    """The way to the PC: HTTP, whose messages NTLM encrypts, for it has no certificate here."""
    password = secrets.token_hex(12)
    podman("exec", "--interactive", host.name, "device-pc", "user", "logon-admin", stdin=password)
    yield {
        "host": host.name, "port": 5985, "scheme": "http", "transport": "ntlm", "username": "logon-admin",
        "password": password, "certificate": None, "private_key": None, "ca_file": None, "connect_seconds": 5.0,
    }  # fmt: skip
    _put(host, LocalGroups())


@pytest.mark.parametrize("name", CASES)
def test_what_becomes_of(name: str, host: Host, connection: dict[str, object], repository: Path) -> None:
    case = CASES[name]
    _put(host, case.before)
    check(case, lambda: _read(host), script(repository / "roles/device_pc/files"), connection)
    assert host.shell(f"ls '{FOLDER}' 2>/dev/null || echo none").strip() == "none", "the script is gone"


def _put(host: Host, groups: LocalGroups) -> None:
    podman("exec", "--interactive", host.name, "device-pc", "groups", "--put", stdin=as_json(groups))


def _read(host: Host) -> LocalGroups:
    return given(json.loads(podman("exec", host.name, "device-pc", "groups")))
