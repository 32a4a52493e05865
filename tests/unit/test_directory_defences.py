# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps strangers from locking services out, and users from answering for names."""

from __future__ import annotations

import pytest

from facility.directory.delegation import names_added_by_anybody
from tests.fake_directory import BASE

SETTINGS = {
    "server_uri": "ldaps://dc1.imaging.example.org",
    "bind_dn": f"CN=Administrator,CN=Users,{BASE}",
    "bind_password": "Right-Horse-1",
    "base": BASE,
    "name": "service-accounts",
    "logins": ["svc-wiki", "SVC-omero"],
}
DN = f"CN=service-accounts,CN=Password Settings Container,CN=System,{BASE}"


@pytest.fixture
def with_accounts(directory):
    directory.put(f"CN=System,{BASE}", objectClass="container")
    directory.put(f"CN=Password Settings Container,CN=System,{BASE}", objectClass="container")
    for login in ("svc-wiki", "svc-omero", "aadler"):
        directory.put_account(login)
    return directory


def test_settings_are_made_once_and_name_their_accounts(with_accounts, run_module):
    foretold = run_module("directory_password_settings", SETTINGS, check=True)
    assert foretold["created"] == ["service-accounts"]
    assert with_accounts.writes == []
    done = run_module("directory_password_settings", SETTINGS)
    assert done["diff"] == foretold["diff"]
    assert with_accounts.text(DN, "msDS-LockoutThreshold") == "0"
    assert with_accounts.text(DN, "msDS-MaximumPasswordAge") == "-9223372036854775808"
    assert with_accounts.text(DN, "msDS-LockoutDuration") == "-9000000000"
    entry = with_accounts.read(DN)
    assert {dn.split(",")[0] for dn in entry.texts("msds-psoappliesto")} == {"CN=svc-wiki", "CN=svc-omero"}
    assert not run_module("directory_password_settings", SETTINGS)["changed"]


def test_another_account_is_taken_out_and_another_number_is_changed(with_accounts, run_module):
    run_module("directory_password_settings", SETTINGS)
    result = run_module("directory_password_settings", {**SETTINGS, "logins": ["svc-wiki"], "min_password_length": 20})
    assert result["updated"] == ["service-accounts"]
    assert result["diff"]["after"] == "service-accounts:\n  logins:\n    - svc-wiki\n  min_password_length: 20\n"
    assert with_accounts.read(DN).texts("msds-psoappliesto") == (f"CN=svc-wiki,OU=people,{BASE}",)


def test_an_account_that_is_not_there_is_named_and_nothing_is_made(with_accounts, run_module):
    result = run_module("directory_password_settings", {**SETTINGS, "logins": ["svc-wiki", "svc-nobody"]})
    assert result["failed"]
    assert "no account svc-nobody" in result["msg"]
    assert with_accounts.writes == []


ZONE = (
    "O:DAG:DAD:AI(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;DA)(A;;CC;;;AU)(A;;LCRPLORC;;;WD)(OA;;CC;e0fa1e8b;;WD)"
    "(A;CIID;CCDC;;;AU)(A;;CC;;;S-1-5-21-1-2-3-1104)S:AI(AU;SA;CC;;;WD)"
)


def test_what_lets_everybody_add_names_is_found_and_nothing_else():
    assert names_added_by_anybody(ZONE) == ["(A;;CC;;;AU)", "(OA;;CC;e0fa1e8b;;WD)"]
    assert names_added_by_anybody(ZONE.replace("(A;;CC;;;AU)", "").replace("(OA;;CC;e0fa1e8b;;WD)", "")) == []
