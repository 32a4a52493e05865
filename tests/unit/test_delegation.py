# SPDX-License-Identifier: GPL-3.0-or-later
"""Which access control entries a unit lacks, told from its security descriptor in SDDL."""

from facility.directory.delegation import missing_entries, wanted_entries

SID = "S-1-5-21-1-2-3-1104"
USER = "bf967aba-0de6-11d0-a285-00aa003049e2"


def wanted(sid):
    return wanted_entries(sid, ["user", "group"])


def descriptor(*entries):
    return "O:DAG:DAD:AI(A;;RPLCLORC;;;AU)" + "".join(entries) + "S:AI(AU;SA;WPWD;;;WD)"


def test_a_fresh_unit_lacks_everything():
    assert missing_entries(descriptor(), wanted(SID)) == wanted(SID)


def test_a_unit_that_has_them_lacks_nothing():
    assert missing_entries(descriptor(*wanted(SID)), wanted(SID)) == []


def test_the_order_of_rights_and_the_case_of_identifiers_do_not_matter():
    present = [entry.replace("CCDC;", "DCCC;").replace(USER, USER.upper()) for entry in wanted(SID)]
    assert missing_entries(descriptor(*present), wanted(SID)) == []


def test_another_accounts_rights_are_not_ours():
    assert len(missing_entries(descriptor(*wanted("S-1-5-21-9-9-9-1104")), wanted(SID))) == 4


def test_rights_cover_users_and_groups_and_no_other_class():
    guids = {entry.strip("()").split(";")[3] or entry.strip("()").split(";")[4] for entry in wanted(SID)}
    assert guids == {USER, "bf967a9c-0de6-11d0-a285-00aa003049e2"}


def test_who_may_set_passwords_may_neither_make_nor_change_anything_else():
    entries = wanted_entries(SID, ["password"])
    assert entries == [
        f"(OA;CIIO;CR;00299570-246d-11d0-a768-00aa006e0529;bf967aba-0de6-11d0-a285-00aa003049e2;{SID})",
        f"(OA;CIIO;RPWP;28630ebf-41d5-11d1-a9c1-0000f80367c1;bf967aba-0de6-11d0-a285-00aa003049e2;{SID})",
    ]
