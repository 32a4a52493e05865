# SPDX-License-Identifier: GPL-3.0-or-later
"""People sit down at two instruments, one of which speaks German: only its own people and staff may log on."""

from __future__ import annotations

from pathlib import Path

import pytest

from facility.device_pc.options import CONNECTION
from testbed.podman import podman
from testbed.standins.device_pc.device_pc_standin.local_groups import LocalGroups
from tests.logon_pc import DOMAIN, DOMAIN_ADMINS, DOMAIN_USERS, INSTRUMENT, STAFF, ZEISS, as_json, joined
from tests.scenario import played

BOOK = Path(__file__).parents[1] / "logon.yml"
STED = f"{DOMAIN}-1103"
SIDS = {"instrument-confocal-1": INSTRUMENT, "instrument-sted": STED, "facility-staff": STAFF}
GROUPS = {"mic1.device.test": "instrument-confocal-1", "mic2.device.test": "instrument-sted"}
PEOPLE = {
    r"IMAGING\aadler": [DOMAIN_USERS, INSTRUMENT],
    r"IMAGING\bbauer": [DOMAIN_USERS, STED],
    r"IMAGING\sstein": [DOMAIN_USERS, STAFF],
    r"IMAGING\iadmin": [DOMAIN_USERS, DOMAIN_ADMINS],
    r"IMAGING\guest": [DOMAIN_USERS],
}


@pytest.fixture
def fresh():
    """Both PCs have just joined the domain; afterwards neither knows of one."""
    known = {**joined().accounts, STED: "instrument-sted"}
    for name, language in (("mic1.device.test", "de"), ("mic2.device.test", "en")):
        put(name, joined(language=language, accounts=known, people=PEOPLE, users=[*joined().users, ZEISS]))
    yield
    for name in GROUPS:
        podman("exec", name, "device-pc", "log-off")
        put(name, LocalGroups())


def put(name, groups):
    podman("exec", "--interactive", name, "device-pc", "groups", "--put", stdin=as_json(groups))


def let_in(name):
    """Who of all people may log on there."""
    tries = "".join(f"device-pc log-off; device-pc log-on '{user}' 2>/dev/null; device-pc console; " for user in PEOPLE)
    return [user.partition("\\")[2] for user in podman("exec", name, "sh", "-c", tries).splitlines() if user]


def run(pc, *options, **changes):
    connection = {name: value for name, value in pc.params.items() if name in CONNECTION and value is not None}
    pcs = [
        {**connection, "host": host, "group": group, "state": "present", **changes} for host, group in GROUPS.items()
    ]
    return played(BOOK, *options, logon_pcs=pcs, logon_sids=SIDS)


@pytest.mark.usefixtures("fresh")
def test_only_an_instruments_people_staff_and_administrators_log_on_and_back(pc):
    everybody = [user.partition("\\")[2] for user in PEOPLE]
    assert let_in("mic1.device.test") == let_in("mic2.device.test") == everybody

    ahead = run(pc, "--check", "--diff")
    assert "changed=1" in ahead.said, ahead.said
    assert r"- IMAGING\\Domänen-Benutzer" in ahead.said or r"-IMAGING\Domänen-Benutzer" in ahead.said, ahead.said
    assert let_in("mic1.device.test") == everybody, "looking ahead changes nothing"

    assert "changed=1" in run(pc).said
    assert let_in("mic1.device.test") == ["aadler", "sstein", "iadmin"]
    assert let_in("mic2.device.test") == ["bbauer", "sstein", "iadmin"]
    assert "changed=0" in run(pc).said

    assert "changed=1" in run(pc, state="absent").said
    assert let_in("mic1.device.test") == let_in("mic2.device.test") == everybody
    assert "changed=0" in run(pc, state="absent").said


@pytest.mark.usefixtures("fresh")
def test_a_pc_whose_trust_is_broken_is_told_and_stops_no_other(pc):
    put("mic1.device.test", joined(trust=False, people=PEOPLE))
    done = run(pc)
    assert "mic1.device.test: the PC belongs to imaging.example.org" in done.said, done.said
    assert "its trust is broken" in done.said
    assert let_in("mic1.device.test") == [user.partition("\\")[2] for user in PEOPLE], "nobody was taken out"
    assert let_in("mic2.device.test") == ["bbauer", "sstein", "iadmin"]
