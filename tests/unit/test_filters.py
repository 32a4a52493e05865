# SPDX-License-Identifier: GPL-3.0-or-later
"""From the register to what the directory modules take."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

REGISTER = {
    "people": [
        {
            "login": "aadler",
            "given_name": "Anna",
            "family_name": "Adler",
            "mail": "a@example.org",
            "kind": "researcher",
            "research_group": "neuro",
            "valid_until": "2027-03-31",
        },
        {
            "login": "sstein",
            "given_name": "Sabine",
            "family_name": "Stein",
            "mail": "s@example.org",
            "kind": "staff",
            "research_group": None,
            "valid_until": None,
        },
        {
            "login": "iivanova",
            "given_name": "Irina",
            "family_name": "Ivanova",
            "mail": "i@example.org",
            "kind": "it_admin",
            "research_group": None,
            "valid_until": None,
        },
    ],
    "research_groups": [{"name": "neuro", "title": "Neuronal Circuits"}, {"name": "plant", "title": "Plant Cells"}],
    "instruments": [{"name": "confocal-1", "title": "Confocal 1"}],
    "time_zone": "Europe/Berlin",
}


def groups_by_name(found):
    return {group["name"]: group.get("members") for group in found}


def test_the_register_rules_who_is_in_which_group(filters):
    found = groups_by_name(filters.directory_groups(REGISTER))
    assert found == {
        "rg-neuro": {"set": ["aadler"]},
        "rg-plant": {"set": []},
        "facility-staff": {"set": ["sstein"]},
        "facility-it": {"set": ["iivanova"]},
        "facility-users": {"set": ["rg-neuro", "rg-plant", "facility-staff", "facility-it"]},
        "instrument-confocal-1": None,
    }


def test_access_rules_can_say_who_may_use_an_instrument(filters):
    members = {"add": ["aadler"], "remove": ["sstein"]}
    found = groups_by_name(filters.directory_groups(REGISTER, {"confocal-1": members}))
    assert found["instrument-confocal-1"] == members
    other = filters.directory_groups(REGISTER, {"other": {"add": [], "remove": []}})
    assert groups_by_name(other)["instrument-confocal-1"] is None


def wish(*, enabled=True, expires="never", doors=None, ppms=None, **log_on):
    directory = {
        "enabled": enabled, "account_expires": expires, "groups": [], "log_on": log_on, "doors": doors or {},
    }  # fmt: skip
    return {"directory": directory, "ppms": ppms or {"known": True, "rights": {"A": [], "D": []}}}


ACCESS = {
    "aadler": wish(sted=True, expires="2027-01-01T00:00:00+01:00"),
    "sstein": wish(sted=False, free=False, enabled=False),
    "iivanova": {"directory": None},
    "guest": wish(sted=True),
}


def test_who_is_decided_about_is_added_or_removed_and_administrators_and_strangers_stay_as_they_are(filters):
    assert filters.instrument_members(ACCESS, REGISTER) == {
        "sted": {"add": ["aadler"], "remove": ["sstein"]}, "free": {"add": [], "remove": ["sstein"]},
    }  # fmt: skip


def test_a_door_s_group_holds_it_administrators_as_a_group_and_who_is_decided_about(filters):
    access = {
        "aadler": wish(doors={"wiki": True, "share": False}),
        "sstein": wish(doors={}),
        "iivanova": {"directory": None},
        "guest": wish(doors={"share": True}),
    }
    members = filters.door_members(access, REGISTER)
    assert members == {
        "wiki": {"add": ["facility-it", "aadler"], "remove": []},
        "share": {"add": ["facility-it"], "remove": ["aadler"]},
        "omero": {"add": ["facility-it"], "remove": []},
    }
    groups = {group["name"]: group for group in filters.directory_groups(REGISTER, {}, members)}
    expected = {"add": ["facility-it"], "remove": ["aadler"]}
    assert groups["door-share"] == {"name": "door-share", "description": "May use drive X", "members": expected}
    assert {"door-wiki", "door-omero"} < set(groups)


PPMS_ACCESS = {
    "aadler": wish(ppms={"known": True, "rights": {"A": [12, 11], "D": []}}),
    "sstein": wish(ppms={"known": True, "rights": {"A": [11], "D": [12]}}),
    "iivanova": {"directory": None, "ppms": None},
    "guest": wish(ppms={"known": True, "rights": {"A": [11], "D": []}}),
}


def test_ppms_gets_to_know_people_in_the_group_that_pays_for_them(filters):
    adler = {"login": "aadler", "given_name": "Anna", "family_name": "Adler", "mail": "a@example.org"}
    stein = {"login": "sstein", "given_name": "Sabine", "family_name": "Stein", "mail": "s@example.org"}
    assert filters.ppms_users(PPMS_ACCESS, REGISTER, "Core staff") == [
        {**adler, "group": "neuro"},
        {**stein, "group": "Core staff"},
    ]
    billed = {**REGISTER, "research_groups": [{"name": "neuro", "title": "N", "ppms_group": "AG Berger"}]}
    assert filters.ppms_users(PPMS_ACCESS, billed) == [{**adler, "group": "AG Berger"}]
    left = {**PPMS_ACCESS, "aadler": wish(ppms={"known": False, "rights": {"A": [], "D": []}})}
    assert filters.ppms_users(left, REGISTER) == []


def test_rights_in_ppms_are_those_of_people_who_were_decided_about(filters):
    assert filters.ppms_rights(PPMS_ACCESS, REGISTER) == [
        {"system_id": 11, "right": "A", "logins": ["aadler", "sstein"]},
        {"system_id": 12, "right": "A", "logins": ["aadler"]},
        {"system_id": 12, "right": "D", "logins": ["sstein"]},
    ]


def test_a_decision_shuts_an_account_and_says_when_it_ends_but_never_an_administrator_s(filters):
    users = {user["login"]: user for user in filters.directory_users(REGISTER, ACCESS)}
    assert users["aadler"]["account_expires"] == "2027-01-01T00:00:00+01:00"
    assert [users[login].get("enabled") for login in ("aadler", "sstein", "iivanova")] == [True, False, None]
    assert users["iivanova"]["account_expires"] == "never"
    assert "groups" not in users["aadler"]


def test_researchers_have_a_unit_of_their_own_and_a_first_password_that_nobody_knows(filters):
    users = {user["login"]: user for user in filters.directory_users(REGISTER, ACCESS, "OU=R,DC=x", True)}
    assert (users["aadler"]["ou"], users["aadler"]["initial_password"]) == ("OU=R,DC=x", "unknown")
    for login in ("sstein", "iivanova"):
        assert {"ou", "initial_password"}.isdisjoint(users[login])


def test_a_person_becomes_an_account_that_expires_when_the_last_day_ends_where_the_facility_is(filters):
    users = {user["login"]: user for user in filters.directory_users(REGISTER)}
    assert users["aadler"] == {
        "login": "aadler",
        "given_name": "Anna",
        "family_name": "Adler",
        "display_name": "Anna Adler",
        "mail": "a@example.org",
        "description": "researcher, neuro",
        "account_expires": "2027-04-01T00:00:00+02:00",
    }
    assert users["sstein"]["account_expires"] == "never"
    assert users["iivanova"]["description"] == "IT administrator"


@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        ("Europe/Berlin", "2026-12-31", "2027-01-01T00:00:00+01:00"),
        ("Europe/Berlin", "2026-03-28", "2026-03-29T00:00:00+01:00"),  # the clock changes two hours later
        ("Europe/Berlin", "2028-02-29", "2028-03-01T00:00:00+01:00"),
        ("America/New_York", "2026-06-30", "2026-07-01T00:00:00-04:00"),
        ("Asia/Kathmandu", "2026-06-30", "2026-07-01T00:00:00+05:45"),
    ],
)
def test_the_day_ends_in_the_facility_s_own_time_zone(filters, zone, day, end):
    person = {**REGISTER["people"][0], "valid_until": day}
    (user,) = filters.directory_users({**REGISTER, "people": [person], "time_zone": zone})
    assert user["account_expires"] == end
    assert datetime.fromisoformat(end).utcoffset() is not None


def test_a_domain_becomes_a_dn(filters):
    assert filters.domain_to_dn("imaging.example.org") == "DC=imaging,DC=example,DC=org"


@pytest.mark.parametrize("domain", ["", ".", "a..b", "a,b", "a b.org", "DC=example"])
def test_what_is_no_domain_is_refused(filters, domain):
    with pytest.raises(ValueError, match=r"write it like imaging\.example\.org"):
        filters.domain_to_dn(domain)


def test_a_research_group_has_its_members_and_one_without_any_is_named_all_the_same(filters):
    people = [{"login": "aadler", "research_group": "neuro"}, {"login": "sstein", "research_group": None}]
    register = {"people": people, "research_groups": [{"name": "neuro"}, {"name": "plant"}]}
    assert filters.research_group_members(register) == {"neuro": ["aadler"], "plant": []}


def test_ansible_finds_every_filter_by_its_name(filters):
    found = filters.FilterModule().filters()
    assert set(found) == {
        "derived_secret", "device_agents", "device_answered", "device_connections", "device_logons", "device_status",
        "directory_groups", "directory_users", "domain_to_dn", "door_members", "faults", "htpasswd_hash",
        "instrument_members",
        "local_moment", "omero_groups", "omero_query", "omero_users", "ppms_rights", "ppms_users", "program_files",
        "research_group_members", "sandbox", "shown_moment",
    }  # fmt: skip
    assert all(function.__name__ == name for name, function in found.items())


INSTRUMENTS = [
    {"name": "confocal-1", "host": "mic1", "ppms_system_id": 11},
    {"name": "sted", "host": "mic4"},
]


def test_each_pc_gets_the_number_and_the_code_of_its_own_instrument(filters):
    hosts = ["mic1.imaging.example.org", "mic4.imaging.example.org", "spare.imaging.example.org"]
    shared = {"username": "facility-admin", "domains": ["IMAGING"]}
    agents = filters.device_agents(hosts, INSTRUMENTS, {"confocal-1": "c0de1", "sted": "c0de4"}, shared)
    assert [agent["host"] for agent in agents] == hosts
    assert [(agent["system_id"], agent["tracker_code"]) for agent in agents] == [
        (11, "c0de1"),
        (None, "c0de4"),
        (None, None),
    ]
    assert all(agent["domains"] == ["IMAGING"] for agent in agents)


def test_a_single_pc_may_need_something_else(filters):
    hosts = ["mic1.imaging.example.org", "mic4.imaging.example.org"]
    special = {"mic4": {"engine": "jscript", "port": 5987}}
    one, four = filters.device_agents(hosts, INSTRUMENTS, {}, {"port": 5986}, special)
    assert (one["port"], four["port"], four["engine"]) == (5986, 5987, "jscript")
    assert "engine" not in one


def test_of_a_pc_s_options_the_connection_is_taken_and_no_code(filters):
    agents = filters.device_agents(["mic1"], INSTRUMENTS, {"confocal-1": "c0de1"}, {"username": "a", "password": "b"})
    assert filters.device_connections(agents) == [{"host": "mic1", "username": "a", "password": "b"}]


def test_a_pc_that_did_not_answer_is_not_asked_again(filters):
    kinds = ["", "unreachable", "agent", "time-out", "refused", "nonsense", "certificate", "command failed"]
    agents = [{"host": kind or "well"} for kind in kinds]
    found = [{"kind": kind} for kind in kinds]
    answered = filters.device_answered(agents, found)
    assert [agent["host"] for agent in answered] == ["well", "agent", "command failed"]


def test_a_run_s_end_says_whether_somebody_is_needed(filters):
    well = {"host": "mic1", "problems": [], "changed": False}
    mended = {"host": "mic2", "problems": ["the agent isn't there: run it"], "changed": True}
    off = {"host": "mic3", "problems": ["mic3: off"], "changed": False}
    assert filters.device_status([well, mended]) == {"well": True, "hosts": [], "text": "all as wished: 2 device PCs"}
    status = filters.device_status([well, off], ["mic4: no drive"])
    assert (status["well"], status["hosts"]) == (False, ["mic3"])
    assert filters.device_status([well, mended], [], ["mic2"])["hosts"] == ["mic2"], "it could not be changed"
    assert status["text"].startswith("some need a person: 1 of 2 device PCs (mic3); 1 faults of drive or log-on")


def test_each_pc_lets_in_the_people_of_its_own_instrument(filters):
    agents = filters.device_agents(["mic1.a", "mic4.a", "spare.a"], INSTRUMENTS, {"sted": "c0de4"}, {"username": "u"})
    assert filters.device_logons(agents, INSTRUMENTS, "present") == [
        {"host": "mic1.a", "username": "u", "group": "instrument-confocal-1", "state": "present"},
        {"host": "mic4.a", "username": "u", "group": "instrument-sted", "state": "present"},
        {"host": "spare.a", "username": "u", "group": "", "state": "present"},
    ]


def test_log_on_at_pcs_is_left_alone_unless_a_site_says_otherwise(filters):
    agents = filters.device_agents(["mic1.a", "mic4.a"], INSTRUMENTS, {}, {})
    assert filters.device_logons(agents, INSTRUMENTS, "") == []
    assert [one["host"] for one in filters.device_logons(agents, INSTRUMENTS, "", {"mic4": "present"})] == ["mic4.a"]
    assert [one["host"] for one in filters.device_logons(agents, INSTRUMENTS, "present", {"mic4": ""})] == ["mic1.a"]
    for wrong in ("yes", True, None):
        with pytest.raises(ValueError, match=r"log-on at mic1: .* write present, absent"):
            filters.device_logons(agents, INSTRUMENTS, "present", {"mic1": wrong})


def test_the_connection_s_options_are_those_of_the_modules(filters):
    from facility.device_pc.options import CONNECTION

    assert set(CONNECTION) == filters._CONNECTION


def test_a_derived_secret_is_always_the_same_and_another_for_each_purpose(filters):
    key = "k" * 32
    derived = filters.derived_secret
    assert derived(key, "restic omero1") == derived(key, "restic omero1")
    assert len({derived(key, "restic omero1"), derived(key, "restic dc1"), derived("l" * 32, "restic omero1")}) == 3
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", derived(key, "restic omero1"))


def test_a_secret_is_not_derived_from_a_word(filters):
    with pytest.raises(ValueError, match="at least 32 characters"):
        filters.derived_secret("short", "restic omero1")


def test_a_web_servers_hash_is_apaches(filters):
    # htpasswd -nbs user (40 times x)
    assert filters.htpasswd_hash("x" * 40) == "{SHA}RzcqeydWnSUGPfXLv3YG9hWo7Co="
    with pytest.raises(ValueError, match="derived secret"):
        filters.htpasswd_hash("a word")


def test_a_program_s_files_come_by_the_name_of_its_package(filters):
    files = filters.program_files("facility.drive.settle")
    assert {"facility/__init__.py", "facility/drive/settle/__main__.py", "facility/core/settings.py"} <= set(files)
    assert "facility/drive/folders.py" not in files, "settle doesn't import it"
