# SPDX-License-Identifier: GPL-3.0-or-later
"""How much room people have on the drive: what smbd is told, and what they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.drive.settle.config import Config, Group
from facility.drive.settle.quotas import Room, rooms
from tests.faults.facility import QUIET, Facility

MB = 1 << 20
PEOPLE = ["aadler", "bbaer", "ccosta"]


def config(quota_gib: float = 0, groups: tuple[Group, ...] = ()) -> Config:
    folders = {name: Path(f"/srv/{name}") for name in ("incoming", "staging", "dropbox", "quarantine", "state_dir")}
    files = {name: Path(f"/run/{name}") for name in ("monitor_file", "asked_file")}
    return Config(**folders, **files, quota_gib=quota_gib, groups=groups)


@pytest.fixture
def facility(tmp_path: Path) -> Iterator[Facility]:
    (tmp_path / "room").mkdir()
    made = Facility(tmp_path, quota_gib=10 / 1024, room_folder=tmp_path / "room")
    yield made
    made.service.store.close()


def told(facility: Facility) -> tuple[int, int]:
    """What smbd reads of aadler: MiB in all, and left."""
    size, left = (facility.base / "room" / "aadler").read_text().split()
    return round(int(size) / 1024), round(int(left) / 1024)


def test_what_waits_is_on_its_way_or_put_aside_takes_room_until_it_is_cleared(facility):
    facility.go(6)
    assert told(facility) == (10, 10)
    facility.copied("a.tif", b"x" * 4 * MB)
    facility.go(1)
    facility.go(6)
    assert told(facility) == (10, 6)
    facility.go(QUIET)
    facility.go(6)
    assert facility.dropbox
    assert told(facility) == (10, 6)
    facility.take_in()
    facility.clock.now += 2 * 86400
    for _ in range(4):
        facility.go(6)
    assert facility.dropbox == []
    assert told(facility) == (10, 10)


def test_while_omero_is_down_what_comes_takes_room_too(facility):
    facility.alive = False
    facility.copied("a.tif", b"x" * 4 * MB)
    facility.go(QUIET)
    facility.go(6)
    assert facility.dropbox == []
    assert told(facility) == (10, 6)


def test_what_grows_or_shrinks_after_the_first_look_while_omero_is_down_is_counted_as_it_is_now(facility):
    facility.alive = False
    facility.copied("slow.tif", b"x" * MB)
    facility.copied("stack/1.tif", b"x" * MB)
    facility.go(QUIET)
    facility.go(6)
    assert told(facility) == (10, 8)
    facility.copied("slow.tif", b"x" * 4 * MB)
    facility.copied("stack/2.tif", b"x" * 3 * MB)
    facility.go(QUIET)
    facility.go(6)
    assert told(facility) == (10, 2)
    (facility.base / "incoming/aadler/stack/2.tif").unlink()
    facility.go(QUIET)
    facility.go(6)
    assert told(facility) == (10, 5)


def test_who_is_over_it_is_told_and_the_sets_go_to_omero_all_the_same(facility):
    facility.copied("a.tif", b"x" * 12 * MB)
    facility.go(QUIET)
    facility.go(6)
    assert told(facility) == (10, 0)
    assert "You have 0.0 GB here, of 0.0 GB." in facility.notice
    assert facility.dropbox == ["aadler/a/a.tif"]
    assert "settle_people_over_quota 1.0" in (facility.base / "run/settle.prom").read_text()
    facility.take_in()
    facility.clock.now += 2 * 86400
    for _ in range(4):
        facility.go(6)
    assert facility.notice == ""


def test_a_group_s_room_is_shared_and_the_tighter_one_counts():
    group = Group("neuro", 3, ("aadler", "bbaer"))
    gib = 1 << 30
    found = rooms(config(2, (group,)), PEOPLE, {"aadler": gib // 2, "bbaer": 2 * gib, "ccosta": gib})
    assert found == {
        "aadler": Room(3 * gib, 5 * gib // 2, "neuro"), "bbaer": Room(2 * gib, 2 * gib), "ccosta": Room(2 * gib, gib),
    }  # fmt: skip
    assert [found[login].free for login in PEOPLE] == [gib // 2, 0, gib]


@given(
    quota=st.sampled_from([0, 1, 2.5]),
    groups=st.lists(st.tuples(st.sampled_from([0.5, 2]), st.sets(st.sampled_from([*PEOPLE, "left"])))),
    used=st.dictionaries(st.sampled_from(PEOPLE), st.integers(0, 4 << 30)),
)
def test_nobody_is_promised_more_than_any_limit_leaves(quota, groups, used):
    known = tuple(Group(str(number), gib, tuple(logins)) for number, (gib, logins) in enumerate(groups))
    found = rooms(config(quota, known), PEOPLE, used)
    limited = {login for login in PEOPLE if quota or any(login in group.logins for group in known)}
    assert set(found) == limited
    for login, room in found.items():
        if quota:
            assert room.free <= max(0, (quota * (1 << 30)) - used.get(login, 0))
        for group in known:
            if login in group.logins:
                assert room.free <= max(0, group.quota_gib * (1 << 30) - sum(used.get(one, 0) for one in group.logins))


def test_without_limits_smbd_is_told_nothing(tmp_path):
    (tmp_path / "room").mkdir()
    made = Facility(tmp_path, room_folder=tmp_path / "room")
    made.copied("a.tif")
    made.go(QUIET)
    assert list((tmp_path / "room").iterdir()) == []
    made.service.store.close()
