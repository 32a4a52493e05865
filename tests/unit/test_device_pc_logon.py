# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may log on at a PC: the decision never locks staff out, never touches what isn't its own, and is done at once."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.core.sid import SID, sid_text
from facility.device_pc.logon import protocol
from facility.device_pc.logon.membership import Account, Found, LogonError, steps, wish
from tests.logon_pc import (
    DOMAIN,
    DOMAIN_ADMINS,
    DOMAIN_USERS,
    EVERYBODY,
    GONE,
    INSTRUMENT,
    MACHINE,
    PARAMS,
    SERVICES,
    STAFF,
    ZEISS,
    escaped,
)

SIDS = {"instrument-confocal-1": INSTRUMENT, "facility-staff": STAFF}
ALL = [INSTRUMENT, STAFF, *EVERYBODY, *SERVICES, DOMAIN_ADMINS, ZEISS, GONE, f"{MACHINE}-500", "S-1-1-0"]
members = st.lists(st.sampled_from(ALL), unique=True).map(lambda sids: tuple(Account(sid, f"N\\{sid}") for sid in sids))
chiefs = members.map(lambda found: tuple(one for one in found if one.sid not in {*EVERYBODY, "S-1-1-0"}))
lists = st.lists(st.sampled_from([ZEISS, GONE, "S-1-1-0"]), unique=True)
states = st.sampled_from(["present", "absent"])


def wanted(state="present", keep=(), remove=()):
    return wish(state, "instrument-confocal-1", ["facility-staff"], SIDS, keep=keep, remove=remove)


def pc(users=(), administrators=(), *, domain="imaging.example.org", lacks=()):
    known = {sid: f"IMAGING\\{sid}" for sid in wanted().asked if sid not in lacks}
    return Found(domain, tuple(users), tuple(administrators), known, {})


@st.composite
def wishes(draw):
    remove = draw(lists)
    return wanted(draw(states), [sid for sid in draw(lists) if sid not in remove], remove)


@given(members, chiefs, wishes())
def test_one_run_is_enough(users, administrators, wish_):
    found = pc(users, administrators)
    after = steps(found, wish_).after(users)
    assert not steps(replace(found, users=after), wish_).changed


@given(members, chiefs, wishes())
def test_only_what_the_facility_or_a_list_names_is_changed(users, administrators, wish_):
    plan = steps(pc(users, administrators), wish_)
    ours = {*SIDS.values(), *EVERYBODY, *SERVICES, *(one.sid for one in administrators if one.sid.startswith(DOMAIN))}
    assert {one.sid for one in plan.add} <= ours
    assert {one.sid for one in plan.remove} <= ours | set(wish_.remove) | {sid.upper() for sid in wish_.remove}


@given(members, chiefs, lists)
def test_afterwards_nobody_else_of_the_domain_gets_in_and_staff_does(users, administrators, remove):
    after = {one.sid for one in steps(pc(users, administrators), wanted(remove=remove)).after(users)}
    assert after >= {*SIDS.values(), *SERVICES}
    assert not after & set(EVERYBODY)
    assert not after & set(remove)


@given(members, chiefs, wishes())
def test_whoever_is_to_stay_is_in_before_anybody_goes(users, administrators, wish_):
    plan = steps(pc(users, administrators), wish_)
    half = {one.sid for one in (*users, *plan.add)}
    assert half >= ({*SIDS.values()} if wish_.present else set(EVERYBODY))


@given(members, chiefs)
def test_the_way_back_ends_where_windows_began(users, administrators):
    found = pc(tuple(Account(sid, sid) for sid in EVERYBODY), administrators)
    shut = replace(found, users=steps(found, wanted()).after(found.users))
    opened = steps(shut, wanted("absent")).after(shut.users)
    assert {one.sid for one in opened} == set(EVERYBODY)


@given(members, chiefs, lists, lists)
def test_each_stranger_is_told_or_listed(users, administrators, keep, remove):
    plan = steps(pc(users, administrators), wanted(keep=set(keep) - set(remove), remove=remove))
    told = {one.sid for one in plan.strangers}
    assert not told & {*keep, *remove, *EVERYBODY, *SERVICES, *SIDS.values()}
    assert not told & {one.sid for one in administrators}
    assert {ZEISS, GONE} & {one.sid for one in users} <= told | set(keep) | set(remove) | {
        a.sid for a in administrators
    }


@given(members, st.lists(st.sampled_from(wanted().asked[:5]), min_size=1), states)
def test_a_pc_that_knows_not_whom_to_let_in_is_refused(users, lacks, state):
    if state == "absent" and not set(lacks) & set(EVERYBODY):
        return
    with pytest.raises(LogonError, match=r"trust is broken|does not know"):
        steps(pc(users, lacks=lacks), wanted(state))


def test_an_administrator_of_the_domain_keeps_what_users_may_read():
    plan = steps(
        pc(administrators=[Account(DOMAIN_ADMINS, "IMAGING\\Domain Admins"), Account(ZEISS, "zeiss")]), wanted()
    )
    assert Account(DOMAIN_ADMINS, "IMAGING\\Domain Admins") in plan.add
    assert ZEISS not in {one.sid for one in plan.add}, "a local administrator's is another decision"


@pytest.mark.parametrize("sid", [*EVERYBODY, "S-1-1-0"])
def test_where_everybody_is_an_administrator_that_comes_first(sid):
    found = pc(administrators=[Account(sid, "Jeder")])
    with pytest.raises(LogonError, match=r"everybody is an administrator there \(Jeder\)"):
        steps(found, wanted())
    assert steps(found, wanted("absent")).changed, "the way back asks for nothing of the kind"


def test_an_administrator_of_whom_nothing_is_known_keeps_the_pc_as_it_is():
    with pytest.raises(LogonError, match=r"does not tell the SID of its administrators IMAGING\\odd"):
        steps(pc(administrators=[Account("", "IMAGING\\odd")]), wanted())


def test_a_member_without_a_sid_stays_and_is_told():
    odd = Account("", "IMAGING\\odd")
    plan = steps(pc([odd]), wanted(remove=["odd"]))
    assert (plan.strangers, odd in plan.remove) == ((odd,), False)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"group": ""}, "no instrument belongs to this PC"),
        ({"sids": {"facility-staff": STAFF}}, "no group instrument-confocal-1: run playbooks/people.yml"),
        ({"sids": {**SIDS, "facility-staff": "S-1-5-32-545"}}, "facility-staff: no group of a domain"),
        ({"sids": {**SIDS, "facility-staff": 'S-1-5-21-1" & calc & "'}}, "facility-staff: no group of a domain"),
        ({"remove": ["Facility-Staff"]}, "facility-staff: to be removed, and to stay"),
        ({"remove": ["s-1-5-19"]}, "s-1-5-19: to be removed, and to stay"),
        ({"keep": ["s-1-5-11"]}, "s-1-5-11, which lets everybody log on"),
        ({"state": "absent", "sids": {}}, "no group of a domain"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_cure(changes, told):
    given_ = {**PARAMS, **changes}
    with pytest.raises(LogonError, match=told):
        wish(
            given_["state"],
            given_["group"],
            given_["staff"],
            given_["sids"],
            keep=given_["keep"],
            remove=given_["remove"],
        )


# what the PC is called with, and answers


def answer(*lines):
    return "".join(f"{line}\r\n" for line in ("@domain - imaging.example.org", *lines, "@end - -"))


def encoded(sid):
    head, *parts = (int(part) for part in sid.split("-")[2:])
    data = bytes([1, len(parts)]) + head.to_bytes(6, "big") + b"".join(part.to_bytes(4, "little") for part in parts)
    return base64.b64encode(data).decode()


def test_only_sids_reach_the_command_line():
    line = protocol.command(add=[INSTRUMENT], remove=["S-1-5-11"], asked=["S-1-5-4"])
    assert f'" +{INSTRUMENT} -S-1-5-11 ?S-1-5-4 & ' in line
    for wrong in ("S-1-5-4 & calc", "S-1-5", "", "S-1-5-4\n", "%PATH%", "s-1-5-4"):
        with pytest.raises(ValueError, match="is no SID"):
            protocol.command(add=[wrong])


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=15), st.integers(0, 2**48 - 1))
def test_a_sid_is_read_from_its_bytes(parts, authority):
    text = "-".join(["S-1", str(authority), *map(str, parts)])
    assert sid_text(base64.b64decode(encoded(text))) == text
    assert SID.fullmatch(text)


@given(st.binary(max_size=80))
def test_bytes_that_are_no_sid_are_refused_or_read_whole(data):
    try:
        text = sid_text(data)
    except ValueError:
        return
    assert base64.b64decode(encoded(text)) == data


@pytest.mark.parametrize(
    "data", [b"", b"\1\1", b"\2\1" + bytes(10), b"\1\2" + bytes(10), b"\1\0" + bytes(6), b"\1\1" + bytes(11)]
)
def test_bytes_of_another_length_or_kind_are_no_sid(data):
    with pytest.raises(ValueError, match="are no SID"):
        sid_text(data)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_names_arrive_as_they_are_in_any_language(name):
    found = protocol.found(answer(f"@known S-1-5-4 {escaped(name)}"))
    assert found.known == {"S-1-5-4": name}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("WinNT://IMAGING/Domänen-Benutzer", "IMAGING\\Domänen-Benutzer"),
        ("WinNT://IMAGING/MIC1/zeiss", "MIC1\\zeiss"),
        ("WinNT://NT-AUTORITÄT/INTERAKTIV", "NT-AUTORITÄT\\INTERAKTIV"),
        (f"WinNT://{GONE}", GONE),
    ],
)
def test_members_are_named_as_windows_names_them(path, name):
    found = protocol.found(answer(f"@users {encoded(GONE)} {escaped(path)}", f"@administrators ? {escaped(path)}"))
    assert found.users == (Account(GONE, name),)
    assert found.administrators == (Account(GONE if name == GONE else "", name),)


def test_a_member_whose_sid_windows_keeps_to_itself_is_known_by_the_name_of_one():
    lines = ("@users ? WinNT%3A//NT-AUTORIT%C4T/INTERAKTIV", "@known S-1-5-4 NT-AUTORIT%C4T%5CINTERAKTIV")
    assert protocol.found(answer(*lines)).users == (Account("S-1-5-4", "NT-AUTORITÄT\\INTERAKTIV"),)


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("", "broke off"),
        ("@domain - x\r\n@users AQEAAAAAAAULAAAA WinNT%3A//a/b\r\n", "broke off"),
        ("Die Ausführung von Windows Script Host ist deaktiviert.\r\n", "forbid Windows Script Host"),
        ("@fault 80070005 Zugriff\r\n@end - -\r\n", "no administrator there"),
        ("@fault NaN \r\n@end - -\r\n", "look it up"),
        (answer("@users AQEAAAA= WinNT%3A//a/b"), "is no SID"),
        (answer("@users nonsense! WinNT%3A//a/b"), "is no SID"),
        (answer("@domain - other.example.org"), "broke off"),
        ("<html>502</html>", "broke off"),
    ],
)
def test_an_odd_answer_is_told_and_nobody_is_taken_out(output, told):
    with pytest.raises(LogonError, match=told):
        protocol.found(output)


@given(st.text())
def test_no_answer_whatever_is_taken_for_a_pc_by_chance(output):
    try:
        protocol.found(output)
    except LogonError:
        return
    assert "@domain" in output and "@end" in output


def test_codes_of_what_was_not_done_are_read():
    found = protocol.found(answer("@failed S-1-5-6 8007056b", "@failed S-1-5-19 nonsense"))
    assert found.failed == {"S-1-5-6": 0x8007056B}
    assert DOMAIN_USERS not in found.known
