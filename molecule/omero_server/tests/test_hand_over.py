# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody has in OMERO becomes somebody else's: all of it, or nothing."""

import uuid

import pytest

testinfra_hosts = ["podman://omero1.omero.test"]
KEY = uuid.uuid4().hex[:8]
GIVER, TAKER, STRANGER = f"giver-{KEY}", f"taker-{KEY}", f"stranger-{KEY}"
ONE, TWO = f"hand-one-{KEY}", f"hand-two-{KEY}"
GROUPS = {GIVER: [ONE, TWO], TAKER: [ONE, TWO], STRANGER: [ONE]}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
def with_images(host, omero, module):
    """Somebody has two images in one group and one in another."""
    module("omero_group", groups=[{"name": name, "permissions": "read-only"} for name in (ONE, TWO)])
    users = [
        {"login": login, "first_name": "F", "last_name": "L", "groups": {"set": groups}, "default_group": ONE,
         "password": f"Secret-of-{login}"}
        for login, groups in GROUPS.items()
    ]  # fmt: skip
    assert not module("omero_user", users=users)["failed"]
    for number, group in enumerate((ONE, ONE, TWO)):
        path = f"/var/tmp/{KEY}-{number}.png"
        host.run_expect([0], f"echo {PNG} | base64 -d > {path} && chmod 0644 {path}")
        done = omero(f"import {path} -g {group}", GIVER)
        assert done.rc == 0, done.stderr


def test_images_change_hands_with_all_groups_and_nobody_has_half(with_images, module, images):
    assert "not in " + TWO in module("omero_hand_over", login=GIVER, to=STRANGER)["msg"]
    assert len(images(KEY, GIVER)) == 2, "the session's own group"
    looked = module("omero_hand_over", check=True, login=GIVER, to=TAKER)
    assert (looked["changed"], looked["images"]) == (True, {ONE: 2, TWO: 1})
    done = module("omero_hand_over", login=GIVER, to=TAKER)
    assert (done["failed"], done["changed"], done["images"]) == (False, True, {ONE: 2, TWO: 1})
    assert module("omero_hand_over", login=TAKER, to=GIVER, check=True)["images"] == {ONE: 2, TWO: 1}
    again = module("omero_hand_over", login=GIVER, to=TAKER)
    assert (again["changed"], again["images"]) == (False, {})
    # They stay in their groups.
    assert images(KEY, TAKER) == [(f"{KEY}-0.png", ONE), (f"{KEY}-1.png", ONE)]


@pytest.mark.parametrize(
    ("giver", "taker", "words"),
    [("nobody-at-all", "root", "OMERO does not know nobody-at-all"), ("root", "root", "name somebody else")],
)
def test_who_is_not_there_hands_nothing_over(module, giver, taker, words):
    refused = module("omero_hand_over", login=giver, to=taker)
    assert refused["failed"]
    assert words in refused["msg"]
