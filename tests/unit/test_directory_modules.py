# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory modules against an Active Directory in memory: check -> read back -> apply -> read back -> again."""

from __future__ import annotations

import stat

import pytest

from facility.directory import dns_record as dns
from facility.directory import names
from facility.directory.server import DirectoryError
from tests.fake_directory import BASE

CONNECTION = {
    "server_uri": "ldaps://dc1.imaging.example.org",
    "bind_dn": f"CN=Administrator,CN=Users,{BASE}",
    "bind_password": "Right-Horse-1",
}
PEOPLE = {**CONNECTION, "ou": f"OU=people,{BASE}"}
GROUPS = {**CONNECTION, "ou": f"OU=groups,{BASE}"}
ANNA = {
    "login": "aadler",
    "given_name": "Anna",
    "mail": "anna@example.org",
    "account_expires": "2027-04-01T00:00:00+02:00",
    "password": "Correct-Battery-7",
}


def anna(**changes):
    return {**PEOPLE, "users": [{**ANNA, **changes}]}


def test_check_mode_tells_what_a_run_does_and_the_run_does_it_once(directory, run_module):
    foretold = run_module("directory_user", anna(), check=True)
    assert foretold["created"] == ["aadler"]
    assert directory.writes == []
    done = run_module("directory_user", anna())
    assert done["created"] == foretold["created"]
    assert done["diff"] == foretold["diff"]
    dn = f"CN=aadler,OU=people,{BASE}"
    assert directory.text(dn, "userPrincipalName") == "aadler@imaging.example.org"
    assert directory.text(dn, "accountExpires") == "134510040000000000"
    assert directory.text(dn, "userAccountControl") == "512"
    assert directory.passwords["aadler"] == "Correct-Battery-7"
    again = run_module("directory_user", anna())
    assert not again["changed"]
    assert again["unchanged"] == 1


def test_only_what_differs_is_changed_and_shown(directory, run_module):
    dn = directory.put_account("aadler", mail="old@example.org", description="kept", givenName="Anna")
    result = run_module("directory_user", anna(account_expires="never"))
    assert result["updated"] == ["aadler"]
    assert result["diff"] == {
        "before": "aadler:\n  mail: old@example.org\n",
        "after": "aadler:\n  mail: anna@example.org\n",
    }
    assert directory.text(dn, "description") == "kept"


def test_an_empty_value_removes_the_attribute(directory, run_module):
    dn = directory.put_account("aadler", mail="old@example.org")
    assert run_module("directory_user", {**PEOPLE, "users": [{"login": "aadler", "mail": ""}]})["changed"]
    assert directory.text(dn, "mail") is None


def test_an_account_is_found_wherever_it_is_and_whatever_the_case(directory, run_module):
    elsewhere = f"CN=Anna A,OU=services,{BASE}"
    directory.put(elsewhere, objectClass="user", sAMAccountName="AAdler", userAccountControl="512")
    result = run_module("directory_user", anna())
    assert result["updated"] == ["aadler"]
    assert directory.writes == [f"modify {elsewhere}"]


def test_disabling_keeps_the_other_flags(directory, run_module):
    dn = directory.put_account("svc-wiki", userAccountControl="66048")  # normal account, password never expires
    run_module("directory_user", {**PEOPLE, "users": [{"login": "svc-wiki", "enabled": False}]})
    assert directory.text(dn, "userAccountControl") == "66050"
    run_module("directory_user", {**PEOPLE, "users": [{"login": "svc-wiki"}]})
    assert directory.text(dn, "userAccountControl") == "66048"


def test_a_password_of_an_existing_account_is_changed_only_if_asked_and_wrong(directory, run_module):
    directory.put_account("aadler")
    directory.passwords["aadler"] = "Her-Own-Choice-3"
    run_module("directory_user", anna())
    assert directory.passwords["aadler"] == "Her-Own-Choice-3"
    mended = run_module("directory_user", anna(update_password="always"))
    assert directory.passwords["aadler"] == "Correct-Battery-7"
    assert "Correct-Battery-7" not in str(mended)
    assert not run_module("directory_user", anna(update_password="always"))["changed"]


def test_a_generated_password_is_kept_in_a_file_that_only_its_owner_reads(directory, run_module, tmp_path):
    folder = tmp_path / "secrets" / "initial"
    arguments = {**PEOPLE, "initial_password_dir": str(folder), "users": [{"login": "aadler"}]}
    run_module("directory_user", arguments, check=True)
    assert not folder.exists()
    result = run_module("directory_user", arguments)
    password = (folder / "aadler").read_text(encoding="utf-8").strip()
    assert directory.passwords["aadler"] == password
    assert password not in str(result)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "aadler").stat().st_mode) == 0o600
    assert [file.name for file in folder.iterdir()] == ["aadler"]


def test_after_a_cut_between_file_and_account_the_next_run_uses_the_same_password(directory, run_module, tmp_path):
    arguments = {**PEOPLE, "initial_password_dir": str(tmp_path), "users": [{"login": "aadler"}]}
    directory.failures["CN=aadler"] = DirectoryError("unreachable", "dc1 was lost: run again")
    assert run_module("directory_user", arguments)["failed"]
    written = (tmp_path / "aadler").read_text(encoding="utf-8").strip()
    directory.failures.clear()
    assert run_module("directory_user", arguments)["created"] == ["aadler"]
    assert directory.passwords["aadler"] == written


def test_a_new_account_without_any_password_is_refused_before_anything_is_written(directory, run_module):
    result = run_module("directory_user", {**PEOPLE, "users": [ANNA, {"login": "ccosta"}]})
    assert result["failed"]
    assert "ccosta is new and would have no password: give password or initial_password_dir" in result["msg"]
    assert directory.writes == []
    without = {**PEOPLE, "users": [{"login": "ccosta", "enabled": False}]}
    assert run_module("directory_user", without)["created"] == ["ccosta"]


@pytest.mark.parametrize(
    ("users", "cure"),
    [
        ([{"login": "a" * 21}], "use 1 to 20 characters"),
        ([{"login": "a/b"}], "use 1 to 20 characters"),
        ([{"login": ".."}], "no dot at the end"),
        ([{"login": "aadler"}, {"login": "AAdler"}], 'two users have the login "aadler" ("AAdler")'),
        ([{**ANNA, "account_expires": "2027-04-01"}], "aadler: account_expires"),
    ],
)
def test_a_list_that_can_not_be_right_is_refused_before_anything_is_written(directory, run_module, users, cure):
    result = run_module("directory_user", {**PEOPLE, "users": users})
    assert result["failed"]
    assert cure in result["msg"]
    assert directory.writes == []


def test_a_rejected_account_does_not_keep_the_others_from_being_made(directory, run_module):
    directory.failures["CN=ccosta"] = DirectoryError("rejected", "dc1 rejects creating CN=ccosta: mend it")
    users = [{**ANNA, "login": login} for login in ("aadler", "ccosta", "ddubois")]
    result = run_module("directory_user", {**PEOPLE, "users": users})
    assert result["failed"]
    assert result["changed"]
    assert result["created"] == ["aadler", "ddubois"]
    assert result["failures"] == [{"name": "ccosta", "why": "dc1 rejects creating CN=ccosta: mend it"}]
    assert result["msg"].startswith("2 of 3 changes done, 1 failed, the next run continues. ccosta: dc1 rejects")
    directory.failures.clear()
    assert run_module("directory_user", {**PEOPLE, "users": users})["created"] == ["ccosta"]


def test_a_lost_server_ends_the_run_and_the_next_one_continues(directory, run_module):
    directory.failures["CN=ccosta"] = DirectoryError("unreachable", "dc1 was lost: run again when it is back")
    users = [{**ANNA, "login": login} for login in ("aadler", "ccosta", "ddubois")]
    result = run_module("directory_user", {**PEOPLE, "users": users})
    assert (result["created"], result["kind"]) == (["aadler"], "unreachable")
    directory.failures.clear()
    assert run_module("directory_user", {**PEOPLE, "users": users})["created"] == ["ccosta", "ddubois"]


def test_a_missing_unit_ends_the_run_at_once(directory, run_module, tmp_path):
    directory.failures["OU=nowhere"] = DirectoryError("not_found", "dc1: OU=nowhere doesn't exist: create it first")
    users = [{"login": login} for login in ("aadler", "ccosta", "ddubois")]
    nowhere = {**PEOPLE, "ou": f"OU=nowhere,{BASE}", "initial_password_dir": str(tmp_path)}
    result = run_module("directory_user", {**nowhere, "users": users})
    assert [failure["name"] for failure in result["failures"]] == ["aadler"]
    assert [file.name for file in tmp_path.iterdir()] == ["aadler"]


def test_any_number_of_accounts_is_one_search(directory, run_module):
    for number in (3, 300):
        directory.searches = 0
        users = [{"login": f"u{i}", "enabled": False} for i in range(number)]
        assert len(run_module("directory_user", {**PEOPLE, "users": users}, check=True)["created"]) == number
        assert directory.searches == 1


def test_absent_accounts_are_deleted_and_stay_away(directory, run_module):
    directory.put_account("aadler")
    arguments = {**anna(), "state": "absent"}
    assert run_module("directory_user", arguments)["deleted"] == ["aadler"]
    assert not run_module("directory_user", arguments)["changed"]


def test_a_password_never_travels_in_clear_text(directory, run_module):
    result = run_module("directory_user", {**anna(), "server_uri": "ldap://dc1.imaging.example.org"})
    assert result["kind"] == "refused"
    assert "would send the password in clear text: use ldaps://, or set start_tls: true" in result["msg"]
    assert directory.searches == 0


def test_the_connection_can_come_from_the_environment(directory, run_module, monkeypatch):
    for option, value in CONNECTION.items():
        monkeypatch.setenv(f"FACILITY_DIRECTORY_{option.upper()}", value)
    result = run_module("directory_ou", {"base": BASE, "ous": [{"name": "people"}]})
    assert result["unchanged"] == 1


def groups(*wanted, **more):
    return {**GROUPS, "groups": list(wanted), **more}


def test_groups_of_one_call_may_hold_each_other_in_any_order(directory, run_module):
    directory.put_account("aadler")
    wanted = groups(
        {"name": "facility-users", "members": {"set": ["rg-neuro", "aadler"]}},
        {"name": "rg-neuro", "description": "Neuronal Circuits", "members": {"set": ["AADLER"]}},
    )
    foretold = run_module("directory_group", wanted, check=True)
    assert directory.writes == []
    done = run_module("directory_group", wanted)
    assert done["created"] == ["facility-users", "rg-neuro"]
    assert done["diff"] == foretold["diff"]
    assert directory.members("facility-users") == {"rg-neuro", "aadler"}
    assert directory.members("rg-neuro") == {"aadler"}
    assert not run_module("directory_group", wanted)["changed"]


def test_members_are_added_removed_or_set(directory, run_module):
    for login in ("aadler", "ccosta", "ddubois"):
        directory.put_account(login)

    def after(**members):
        run_module("directory_group", groups({"name": "rg-neuro", "members": members}))
        return directory.members("rg-neuro")

    assert after(set=["aadler"]) == {"aadler"}
    assert after(add=["ccosta", f"cn=DDubois,ou=people,{BASE.lower()}"]) == {"aadler", "ccosta", "ddubois"}
    assert after(remove=["aadler", "who-never-was"]) == {"ccosta", "ddubois"}
    assert after() == {"ccosta", "ddubois"}
    assert after(set=[]) == set()


def test_an_unknown_member_is_named_with_its_group_before_anything_is_written(directory, run_module):
    directory.put_account("aadler")
    wanted = {"name": "rg-neuro", "members": {"set": ["aadler", "mmeier"]}}
    refused = run_module("directory_group", groups(wanted))
    assert refused["failed"]
    assert 'group "rg-neuro" wants member "mmeier", which doesn\'t exist: create these accounts first' in refused["msg"]
    assert directory.writes == []
    done = run_module("directory_group", groups(wanted, unknown_members="ignore"))
    assert directory.members("rg-neuro") == {"aadler"}
    assert done["ignored_members"] == ['group "rg-neuro" wants member "mmeier", which doesn\'t exist']


def test_a_group_that_could_not_be_made_is_left_out_of_others_until_it_can(directory, run_module):
    wanted = groups({"name": "facility-users", "members": {"set": ["rg-neuro"]}}, {"name": "rg-neuro"})
    directory.failures["CN=rg-neuro"] = DirectoryError("rejected", "dc1 rejects it: mend it")
    assert run_module("directory_group", wanted)["created"] == ["facility-users"]
    directory.failures.clear()
    run_module("directory_group", wanted)
    assert directory.members("facility-users") == {"rg-neuro"}
    assert not run_module("directory_group", wanted)["changed"]


def test_contradicting_member_lists_are_refused(directory, run_module):
    result = run_module("directory_group", groups({"name": "rg-neuro", "members": {"set": [], "add": ["rg-neuro"]}}))
    assert result["msg"] == 'group "rg-neuro", members: give either set, or add and remove, not both'
    assert directory.writes == []


def test_a_run_that_would_take_a_group_from_too_many_changes_nothing_and_names_them(directory, run_module):
    names = [directory.put_account(f"person{number}").partition(",")[0].removeprefix("CN=") for number in range(4)]
    run_module("directory_group", groups({"name": "instrument-sted", "members": {"set": names}}))
    directory.writes.clear()
    wanted = {"name": "instrument-sted", "members": {"remove": ["person0", "person1", "person2"]}}
    refused = run_module("directory_group", groups(wanted, most_removed=2))
    assert refused["failed"]
    assert "3 would lose something, and one run may take from 2 at most (person0: instrument-sted;" in refused["msg"]
    assert directory.writes == []
    assert run_module("directory_group", groups(wanted, most_removed=3))["updated"] == ["instrument-sted"]


def test_a_run_that_would_shut_too_many_accounts_changes_nothing_and_names_them(directory, run_module):
    for number in range(3):
        directory.put_account(f"person{number}")
    users = {**PEOPLE, "users": [{"login": f"person{number}", "enabled": number == 0} for number in range(3)]}
    refused = run_module("directory_user", {**users, "most_removed": 1})
    assert refused["failed"]
    assert "person1: the account's use; person2: the account's use" in refused["msg"]
    assert directory.writes == []
    assert run_module("directory_user", {**users, "most_removed": 2})["updated"] == ["person1", "person2"]
    # Who is shut already is none that loses anything.
    assert not run_module("directory_user", {**users, "most_removed": 0})["changed"]


def test_a_group_can_not_take_an_account_s_name(directory, run_module):
    directory.put_account("aadler")
    result = run_module("directory_group", groups({"name": "aadler"}))
    assert 'group "aadler" can\'t be created, an account has this name: choose another name' in result["msg"]


def test_units_are_made_once_and_their_descriptions_kept_right(directory, run_module):
    wanted = {**CONNECTION, "base": BASE, "ous": [{"name": "People", "description": "All"}, {"name": "visitors"}]}
    result = run_module("directory_ou", wanted)
    assert (result["created"], result["updated"]) == (["visitors"], ["People"])
    assert directory.text(f"OU=people,{BASE}", "description") == "All"
    assert not run_module("directory_ou", wanted)["changed"]


POLICY = {
    "min_password_length": 12,
    "max_password_age_days": 0,
    "complexity": False,
    "lockout_threshold": 10,
    "lockout_minutes": 15,
    "lockout_window_minutes": 15,
}


def test_the_policy_is_written_in_the_directory_s_units(directory, run_module):
    result = run_module("directory_policy", {**CONNECTION, "base": BASE, **POLICY})
    assert result["changed"]
    assert directory.text(BASE, "minPwdLength") == "12"
    assert directory.text(BASE, "maxPwdAge") == "-9223372036854775808"
    assert directory.text(BASE, "pwdProperties") == "16"  # only the bit of complexity has gone
    assert directory.text(BASE, "lockoutDuration") == "-9000000000"
    assert "  max_password_age_days: 42\n" in result["diff"]["before"]
    assert not run_module("directory_policy", {**CONNECTION, "base": BASE, **POLICY})["changed"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"min_password_length": -1}, "min_password_length is -1: choose 0 to 255"),
        ({"lockout_minutes": 0}, "lockout_minutes is 0: choose 1 to 99999"),
        ({"lockout_minutes": 5, "lockout_window_minutes": 10}, "lockout_minutes 5 can't be less than"),
        ({"max_password_age_days": 3, "min_password_age_days": 3}, "must be more than min_password_age_days 3"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(directory, run_module, changes, message):
    result = run_module("directory_policy", {**CONNECTION, "base": BASE, **changes})
    assert message in result["msg"]
    assert directory.writes == []


ZONE = f"DC=imaging.example.org,CN=MicrosoftDNS,DC=DomainDnsZones,{BASE}"


def dns_arguments(*records):
    return {**CONNECTION, "base": BASE, "zone": "imaging.example.org", "records": list(records)}


def test_a_record_is_written_and_other_types_of_its_name_stay(directory, run_module):
    directory.put(ZONE, objectClass="dnsZone")
    text = dns.DnsRecord(16, b"\x05hello", ttl=60, serial=7)
    old = dns.DnsRecord(dns.TYPES["A"], dns.data_of("A", "10.0.0.1"), ttl=3600, serial=7)
    pointer = dns.DnsRecord(dns.TYPES["PTR"], dns.data_of("PTR", "wiki.example.org"), ttl=60, serial=7)
    node = names.child("DC", "wiki1", ZONE)
    records = [dns.encoded(record) for record in (text, old, pointer)]
    directory.put(node, objectClass="dnsNode", dc="wiki1", dnsRecord=records)
    wanted = dns_arguments(
        {"name": "wiki1.imaging.example.org.", "value": "10.42.0.21"}, {"name": "@", "value": "10.1.1.1"}
    )
    result = run_module("directory_dns_record", wanted)
    assert (result["updated"], result["created"]) == (["wiki1"], ["@"])
    stored = [dns.decoded(raw) for raw in directory.read(node).attributes["dnsrecord"]]
    assert stored == [text, pointer, dns.DnsRecord(1, bytes([10, 42, 0, 21]), ttl=3600, serial=8)]
    assert not run_module("directory_dns_record", wanted)["changed"]


def test_a_deleted_name_comes_back_to_life(directory, run_module):
    directory.put(ZONE, objectClass="dnsZone")
    node = names.child("DC", "wiki1", ZONE)
    grave = dns.encoded(dns.DnsRecord(dns.TOMBSTONE, b"\0" * 8, ttl=0))
    directory.put(node, objectClass="dnsNode", dc="wiki1", dnsRecord=[grave], dNSTombstoned="TRUE")
    assert run_module("directory_dns_record", dns_arguments({"name": "wiki1", "value": "10.42.0.21"}))["changed"]
    assert directory.text(node, "dNSTombstoned") == "FALSE"
    assert [dns.decoded(raw).type for raw in directory.read(node).attributes["dnsrecord"]] == [1]


def test_a_missing_zone_and_a_bad_value_are_refused_with_the_cure(directory, run_module):
    missing = run_module("directory_dns_record", dns_arguments({"name": "wiki1", "value": "10.42.0.21"}))
    assert "has no DNS zone imaging.example.org: create the zone first, or mend its name" in missing["msg"]
    bad = run_module("directory_dns_record", dns_arguments({"name": "wiki1", "value": "10.42"}))
    assert bad["msg"] == 'record wiki1 A: "10.42" is no IPv4 address; write it like 192.0.2.1'
    assert directory.writes == []


def test_a_directory_tells_what_it_holds_and_lacks(directory, run_module):
    member = directory.put_account("aadler")
    directory.put(f"CN=facility-users,OU=groups,{BASE}", objectClass="group", cn="facility-users", member=member)
    asked = {"require_groups": ["Facility-Users", "facility-staff"], "require_ous": ["people", f"OU=guests,{BASE}"]}
    result = run_module("directory_info", {**CONNECTION, **asked})
    assert result["base"] == BASE
    assert result["user_count"] == 1
    assert result["missing_groups"] == ["facility-staff"]
    assert result["missing_ous"] == [f"OU=guests,{BASE}"]
    assert result["active_directory"] is False
    assert not result["changed"]
