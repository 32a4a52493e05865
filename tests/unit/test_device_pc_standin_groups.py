# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in's local groups refuse what Windows refuses, in the language that it was installed in."""

from __future__ import annotations

import pytest

from testbed.standins.device_pc.device_pc_standin import local_groups
from testbed.standins.device_pc.device_pc_standin.answers import Call, split
from tests.logon_pc import DOMAIN_USERS, EVERYBODY, GONE, INSTRUMENT, STAFF, ZEISS, joined


@pytest.fixture
def file(tmp_path):
    return tmp_path / "local-groups.json"


@pytest.fixture
def ask(file):
    return lambda line: local_groups.run(Call("C:\\", split(f"adsi {line}")[1:]), file)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('members "Users"', local_groups.NO_SUCH_GROUP),
        (f'add "Benutzer" "WinNT://{GONE}"', local_groups.NO_SUCH_MEMBER),
        ('add "Benutzer" "WinNT://S-1-5-11"', local_groups.IN_ALIAS),
        (f'remove "Benutzer" "WinNT://{STAFF}"', local_groups.NOT_IN_ALIAS),
        ('add "Benutzer" "WinNT://IMAGING/facility-staff"', local_groups.INVALID_NAME),
        (f'account "{GONE}"', local_groups.NONE_MAPPED),
    ],
)
def test_windows_codes_are_answered_and_nothing_changes(ask, file, line, code):
    local_groups.write(joined(), file)
    assert ask(line).code == code
    assert local_groups.read(file) == joined()


def test_a_domain_that_does_not_answer_is_told_apart(ask, file):
    local_groups.write(joined(trust=False), file)
    assert ask(f'account "{STAFF}"').code == local_groups.TRUST_BROKEN
    assert ask('account "S-1-5-4"').out == "NT-AUTORITÄT\tINTERAKTIV"
    assert f"WinNT://{DOMAIN_USERS}\t" in ask('members "Benutzer"').out, (
        "an account that nobody knows has its SID for a name"
    )


def test_names_are_those_of_the_language(ask, file):
    local_groups.write(joined(language="en"), file)
    assert ask('account "S-1-5-32-545"').out == "BUILTIN\tUsers"
    assert ask('members "Benutzer"').code == local_groups.NO_SUCH_GROUP
    assert ask('members "users"').code == 0


def test_a_policy_of_the_domain_wins_over_each_change(ask, file):
    local_groups.write(joined(policy=EVERYBODY), file)
    assert ask(f'add "Benutzer" "WinNT://{STAFF}"').code == 0
    assert local_groups.read(file).users == EVERYBODY


@pytest.mark.parametrize(
    ("users", "let_in"),
    [(EVERYBODY, True), (["S-1-5-11"], True), ([INSTRUMENT], True), ([STAFF, ZEISS, "S-1-5-19"], False), ([], False)],
)
def test_who_is_in_none_of_the_groups_may_not_log_on(users, let_in):
    pc = joined(users=users, people={r"IMAGING\aadler": [DOMAIN_USERS, INSTRUMENT]})
    assert pc.may_log_on(r"IMAGING\aadler") == let_in
    assert pc.may_log_on(r"IMAGING\stranger"), "of whom the test says nothing, Windows' default holds"


def test_an_unknown_key_is_refused():
    with pytest.raises(ValueError, match="not known: user"):
        local_groups.given({"user": []})
