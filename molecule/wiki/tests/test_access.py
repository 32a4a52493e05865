# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets into the wiki, and what they may do there."""

import base64

DENIED = 'id="permission_denied"'


def test_a_stranger_is_refused_every_internal_page(visitor):
    text = visitor.open("safety:requirements")[1]
    assert DENIED in text
    assert "Laser goggles" not in text
    # Neither may its heading leak, nor what search, export, feed and old revisions know of it.
    assert "Safety" not in text
    for path in (
        "_export/raw/safety:requirements", "_export/xhtml/safety:requirements", "start?do=search&q=laser",
        "feed.php", "safety:requirements?do=revisions", "safety:requirements?do=edit", "start?do=index&idx=safety",
    ):  # fmt: skip
        assert "goggles" not in visitor.open(path)[1].lower(), path


def test_a_public_page_is_read_without_login(visitor):
    assert "For everybody" in visitor.open("imprint")[1]
    assert not visitor.edit("imprint", "Vandals were here")


def test_a_person_gets_in_through_groups_in_groups(logged_in):
    reader = logged_in("reader")
    assert "Laser goggles" in reader.open("safety:requirements")[1]
    assert "<bdi>Rita Reader</bdi>" in reader.open("start")[1]


def test_a_reader_may_not_edit(logged_in):
    assert not logged_in("reader").edit("safety:requirements", "No rules")


def test_a_reader_may_write_in_the_peoples_own_namespace(logged_in):
    assert logged_in("reader").edit("users:reader", "My notes")


def test_staff_may_edit_everywhere(logged_in):
    staff = logged_in("staff")
    assert staff.edit("safety:new", "A new rule")
    assert staff.edit("imprint", "For everybody, edited.")
    assert 'class="action admin"' not in staff.open("start")[1]


def test_an_administrator_administers_but_sees_no_switches_that_the_inventory_owns(logged_in):
    text = logged_in("admin").open("start?do=admin")[1]
    assert "page=revert" in text
    for plugin in ("acl", "config", "extension", "usermanager"):
        assert f"page={plugin}" not in text


def test_somebody_without_a_facility_group_reads_nothing(logged_in):
    assert DENIED in logged_in("stranger").open("safety:requirements")[1]


def test_wrong_and_empty_passwords_are_refused(visitor):
    assert not visitor.log_in("reader", "wrong")
    assert not visitor.log_in("reader", "")
    assert not visitor.log_in("*", "Secret-of-reader")


def test_an_expired_account_is_refused(visitor):
    assert not visitor.log_in("expired", "Secret-of-expired")


def test_a_password_is_taken_from_the_login_form_only(visitor):
    word = base64.b64encode(b"reader:Secret-of-reader").decode()
    assert DENIED in visitor.open("safety:requirements", headers={"Authorization": f"Basic {word}"})[1]


def test_the_login_is_not_remembered_after_the_browser_is_closed(visitor):
    assert 'name="r"' not in visitor.open("start?do=login")[1]
