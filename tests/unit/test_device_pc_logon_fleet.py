# SPDX-License-Identifier: GPL-3.0-or-later
"""Log-on at many PCs: first in, then out; and one PC's trouble is that PC's."""

from __future__ import annotations

from pathlib import Path

import pytest

from facility.device_pc.logon import fleet
from facility.device_pc.logon.options import LogonOptionsError, script, wishes
from facility.device_pc.trouble import Kind, WinrmError
from testbed.standins.device_pc.device_pc_standin import local_groups
from tests.logon_pc import CASES, DOMAIN_USERS, EVERYBODY, ONLY_THEY, PARAMS, FakeLogonPc, check, joined

CONNECTION = {
    "port": 5986, "scheme": "https", "transport": "ntlm", "username": "admin", "password": "pw", "certificate": None,
    "private_key": None, "ca_file": None, "connect_seconds": 5.0,
}  # fmt: skip


@pytest.fixture(scope="session")
def program(repository):
    return script(repository / "roles/device_pc/files")


@pytest.fixture
def pcs(tmp_path, program, monkeypatch):
    """PCs by host; each is made when it is first named."""
    made: dict[str, FakeLogonPc] = {}

    def named(host):
        if host not in made:
            made[host] = FakeLogonPc(tmp_path / host, program, None)
        return made[host]

    monkeypatch.setattr(fleet, "DevicePc", lambda endpoint, _seconds: named(endpoint.host))
    return named


def at(host, **changes):
    return {**CONNECTION, **PARAMS, "host": host, **changes}


def put(pc, groups):
    local_groups.write(groups, pc.file)


def users(pc):
    return set(local_groups.read(pc.file).users)


def converge(program, *params, check_mode=False):
    return fleet.converge(params, program, wishes(params[0]), 4, check_mode=check_mode)


@pytest.mark.parametrize("name", CASES)
def test_what_becomes_of(name, pcs, program):
    pc = pcs("mic1")
    put(pc, CASES[name].before)
    check(CASES[name], lambda: local_groups.read(pc.file), program, {**CONNECTION, "host": "mic1"})


def test_a_pc_that_needs_nothing_is_asked_once(pcs, program):
    put(pcs("mic1"), joined(users=sorted(ONLY_THEY)))
    converge(program, at("mic1"))
    (only,) = pcs("mic1").calls
    assert all(argument.startswith("?") for argument in only)


def test_first_all_are_in_then_somebody_goes(pcs, program):
    put(pcs("mic1"), joined())
    converge(program, at("mic1"))
    looked, added, removed = pcs("mic1").calls
    assert [{argument[0] for argument in call} for call in (looked, added, removed)] == [{"?"}, {"+", "?"}, {"-", "?"}]


def test_a_pc_that_did_not_let_staff_in_lets_nobody_out(pcs, program):
    put(pcs("mic1"), joined())
    forgetful = pcs("mic1")
    forgetful.answer = lambda said: "".join(
        line for line in said.splitlines(keepends=True) if not ("@users" in line and "facility-staff" in line)
    ).replace("@end", "@failed " + PARAMS["sids"]["facility-staff"] + " 8007056b\r\n@end")
    result = converge(program, at("mic1"))
    (problem,) = result["problems"]
    assert "not added: IMAGING\\facility-staff (code 8007056b" in problem
    assert "Nobody was taken out" in problem
    assert users(forgetful) >= set(EVERYBODY)


def test_what_was_changed_before_the_line_was_cut_is_told_as_changed(pcs, program):
    put(pcs("mic1"), joined())
    cut = pcs("mic1")

    def answer(said):
        if len(cut.calls) == 3:
            raise WinrmError(Kind.UNREACHABLE, "mic1:5986: the connection broke: run again")
        return said

    cut.answer = answer
    result = converge(program, at("mic1"))
    assert result["changed"]
    assert result["problems"] == ["mic1:5986: the connection broke: run again"]
    cut.answer = str
    assert converge(program, at("mic1"))["problems"] == []
    assert users(cut) == ONLY_THEY


@pytest.mark.parametrize("trouble", [ValueError("zip()"), WinrmError(Kind.TIME_OUT, "mic1: silent"), KeyError("x")])
def test_one_pc_s_trouble_hides_no_other(pcs, program, trouble):
    for host in ("mic1", "mic2", "mic3"):
        put(pcs(host), joined())

    def answer(said):
        raise trouble

    pcs("mic1").answer = answer
    put(pcs("mic2"), joined(domain=""))
    result = converge(program, at("mic1"), at("mic2"), at("mic3"))
    assert [problem[:4] for problem in result["problems"]] == ["mic1", "mic2"]
    assert users(pcs("mic3")) == ONLY_THEY
    assert [entry["before_header"] for entry in result["diff"]] == ["mic3, Users"]


def test_the_diff_names_whoever_comes_and_goes(pcs, program):
    put(pcs("mic1"), joined())
    (shown,) = converge(program, at("mic1"), check_mode=True)["diff"]
    assert f"IMAGING\\Domänen-Benutzer ({DOMAIN_USERS})\n" in shown["before"]
    assert "IMAGING\\instrument-confocal-1 (" in shown["after"]
    assert "Domänen-Benutzer" not in shown["after"]


def test_what_is_wrong_for_all_pcs_is_refused_before_any_is_asked(program, tmp_path):
    with pytest.raises(LogonOptionsError, match="staff is empty"):
        wishes({**PARAMS, "staff": []})
    with pytest.raises(LogonOptionsError, match="both name zeiss"):
        wishes({**PARAMS, "keep": ["Zeiss"], "remove": ["zeiss"]})
    with pytest.raises(LogonOptionsError, match=r"has no logon-groups\.js"):
        script(Path(tmp_path))
    assert program.isascii(), "cmd and findstr carry it in any code page"
    assert max(map(len, program.splitlines())) < 200
