# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory tells the SIDs of its groups, by which a PC of the domain knows them."""

from __future__ import annotations

import pytest

from tests.fake_directory import BASE

CONNECTION = {
    "server_uri": "ldaps://dc1.imaging.example.org",
    "bind_dn": f"CN=Administrator,CN=Users,{BASE}",
    "bind_password": "Right-Horse-1",
}
# S-1-5-21-3623811015-3361044348-30300820-1101
SID = bytes.fromhex("010500000000000515000000c7f7fed77c7755c8945ace014d040000")


@pytest.fixture
def groups(directory):
    directory.put(f"CN=Facility-Staff,OU=groups,{BASE}", objectClass="group", cn="Facility-Staff", objectSid=SID)
    directory.put(f"CN=posix,OU=groups,{BASE}", objectClass="posixGroup", cn="posix")
    return directory


def test_sids_are_told_under_the_names_that_were_asked_for(groups, run_module):
    asked = ["facility-staff", "posix", "nobody", f"CN=Facility-Staff,OU=groups,{BASE}"]
    result = run_module("directory_info", {**CONNECTION, "require_groups": asked})
    assert result["group_sids"] == {"facility-staff": "S-1-5-21-3623811015-3361044348-30300820-1101"}
    assert result["missing_groups"] == ["nobody"]


def test_who_asks_for_no_group_gets_no_sid(groups, run_module):
    assert run_module("directory_info", CONNECTION)["group_sids"] == {}
