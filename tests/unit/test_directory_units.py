# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts lie in the unit of their kind, and whoever is to choose a password has one that nobody knows."""

from __future__ import annotations

import pytest

from tests.fake_directory import BASE

PEOPLE = {
    "server_uri": "ldaps://dc1.imaging.example.org",
    "bind_dn": f"CN=Administrator,CN=Users,{BASE}",
    "bind_password": "Right-Horse-1",
    "ou": f"OU=people,{BASE}",
}
UNITS = [f"OU=people,{BASE}", f"OU=researchers,OU=people,{BASE}"]


def researcher(**changes):
    return {**PEOPLE, "move_between": UNITS, "users": [{"login": "aadler", "ou": UNITS[1], **changes}]}


def test_an_account_that_belongs_elsewhere_is_moved_first_and_groups_follow(directory, run_module):
    directory.put(UNITS[1], objectClass="organizationalUnit", ou="researchers")
    directory.put_account("aadler")
    directory.put(f"CN=g,OU=groups,{BASE}", objectClass="group", member=f"CN=aadler,OU=people,{BASE}")
    foretold = run_module("directory_user", researcher(mail="a@example.org"), check=True)
    assert foretold["diff"]["after"] == f"aadler:\n  mail: a@example.org\n  unit: {UNITS[1]}\n"
    assert directory.writes == []
    assert run_module("directory_user", researcher(mail="a@example.org"))["updated"] == ["aadler"]
    moved = f"CN=aadler,{UNITS[1]}"
    assert directory.writes == [f"move CN=aadler,OU=people,{BASE}", f"modify {moved}"]
    assert directory.text(moved, "mail") == "a@example.org"
    assert directory.members("g") == {"aadler"}
    assert not run_module("directory_user", researcher(mail="a@example.org"))["changed"]
    # Who becomes staff is moved out again.
    assert run_module("directory_user", researcher(ou=None))["updated"] == ["aadler"]
    assert directory.text(f"CN=aadler,{UNITS[0]}", "mail") == "a@example.org"


def test_an_account_that_lies_elsewhere_stays_there(directory, run_module):
    directory.put(UNITS[1], objectClass="organizationalUnit", ou="researchers")
    directory.put(f"CN=A,OU=services,{BASE}", objectClass="user", sAMAccountName="aadler", userAccountControl="512")
    assert not run_module("directory_user", researcher())["changed"]


def test_a_new_account_is_made_where_it_belongs_with_a_password_that_nobody_knows(directory, run_module, tmp_path):
    directory.put(UNITS[1], objectClass="organizationalUnit", ou="researchers")
    arguments = {**researcher(initial_password="unknown"), "initial_password_dir": str(tmp_path)}
    result = run_module("directory_user", arguments)
    assert "password: (generated, known to nobody)" in result["diff"]["after"]
    assert directory.text(f"CN=aadler,{UNITS[1]}", "userAccountControl") == "512"
    password = directory.passwords["aadler"]
    assert len(password) >= 20
    assert password not in str(result)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("changed", "left"), [("133000000000000000", []), ("132538896000000000", ["aadler"])])
def test_the_file_of_a_password_that_was_changed_since_is_removed(directory, run_module, tmp_path, changed, left):
    # FILETIME 132538896000000000 is 2020-12-31 12:00 UTC.
    directory.put_account("aadler", whenCreated="20201231120000.0Z", pwdLastSet=changed)
    (tmp_path / "aadler").write_text("Old-Horse-1")
    arguments = {**PEOPLE, "users": [{"login": "aadler"}], "initial_password_dir": str(tmp_path)}
    foretold = run_module("directory_user", arguments, check=True)
    assert (tmp_path / "aadler").exists()
    assert run_module("directory_user", arguments)["changed"] == foretold["changed"] == (not left)
    assert [file.name for file in tmp_path.iterdir()] == left
    assert not run_module("directory_user", arguments)["changed"]
