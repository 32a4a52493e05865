# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with backups is found, and nothing is forgotten that somebody lied about."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.backup.database_health import judge_drill, judge_stanza
from facility.backup.health import (
    BACKDATED_SECONDS,
    FUTURE_SECONDS,
    STALE_SECONDS,
    Facts,
    Limits,
    Outcome,
    Problem,
    Refusals,
    judge_repository,
    may_forget,
    merged,
    next_subset,
    remembered,
    trusted_in_order,
    untrusted,
    usual_size,
)
from facility.backup.pgbackrest import Backup, Stanza
from facility.backup.restic import Plan, Snapshot

NOW = 1_800_000_000.0
HOUR = 3600.0
DAY = 24 * HOUR
TIMES = st.floats(0, 4e9, allow_nan=False)


def snapshot(key: str, time: float, files: int = 100, size: int = 1000) -> Snapshot:
    return Snapshot(key, time, "omero1", ("/",), files=files, bytes=size)


def good(**different: object) -> Facts:
    """A repository in which all is well."""
    snapshots = tuple(snapshot(f"s{n}", NOW - n * DAY - 2 * HOUR) for n in range(9))
    facts = Facts(
        name="omero1",
        snapshots=snapshots,
        arrived={s.id: s.time + HOUR for s in snapshots},
        keys=("omero1", "recovery"),
        key_files=2,
        bytes=50,
        quota_bytes=100,
        checks={"1/7": Outcome(NOW - HOUR)},
        runs={"retain": Outcome(NOW - HOUR), "drill": Outcome(NOW - HOUR)},
        since=NOW - 100 * DAY,
    )
    return replace(facts, **different)  # type: ignore[arg-type]


def kinds(facts: Facts) -> list[str]:
    return sorted(problem.kind for problem in judge_repository(facts, Limits(), NOW))


def with_newest(newest: Snapshot, arrival: float) -> Facts:
    facts = good()
    return replace(facts, snapshots=(*facts.snapshots, newest), arrived={**facts.arrived, newest.id: arrival})


def test_where_all_is_well_nothing_is_told():
    assert kinds(good()) == []


@pytest.mark.parametrize(
    ("different", "kind"),
    [
        ({"snapshots": (), "arrived": {}}, "age"),
        ({"expected_seconds": HOUR / 2}, "age"),
        ({"keys": ("omero1", "recovery", "recovery"), "key_files": 3}, "keys"),
        ({"key_files": 3}, "keys"),
        ({"keys": ("recovery",), "key_files": 1}, "keys"),
        ({"refusals": Refusals({403: 2}, 0, 0, ("10.0.0.9",))}, "refused"),
        ({"refusals": Refusals({}, 3, NOW)}, "quota"),
        ({"bytes": 86}, "quota"),
        ({"oldest_lock": NOW - 27 * HOUR}, "locked"),
        ({"checks": {"1/7": Outcome(NOW - HOUR, ok=False), "2/7": Outcome(NOW)}}, "check"),
        ({"checks": {"1/7": Outcome(NOW - STALE_SECONDS - 1)}}, "check"),
        ({"runs": {"retain": Outcome(NOW), "drill": Outcome(NOW, ok=False)}}, "drill"),
        ({"runs": {"retain": Outcome(NOW)}}, "drill"),
        ({"runs": {"drill": Outcome(NOW)}}, "retain"),
        ({"journal_fault": "the journal can't be read: join its group"}, "unreadable"),
        ({"unreadable": "the disk is gone: mount it"}, "unreadable"),
    ],
)
def test_each_fault_is_told_once_with_its_cure(different, kind):
    facts = good(**different)
    assert set(kinds(facts)) >= {kind}
    assert len(kinds(facts)) == 1
    for problem in judge_repository(facts, Limits(), NOW):
        assert ":" in problem.message
        assert "\n" not in problem.message


def test_a_new_repository_has_a_day_and_a_half_for_its_first_check():
    new = good(checks={}, runs={}, since=NOW - DAY)
    assert kinds(new) == []
    assert kinds(replace(new, since=NOW - 2 * DAY)) == ["check", "drill", "retain"]


def test_a_backup_that_shrank_is_told():
    assert kinds(with_newest(snapshot("new", NOW - HOUR, files=49), NOW)) == ["size"]
    assert kinds(with_newest(snapshot("new", NOW - HOUR, size=499), NOW)) == ["size"]
    assert kinds(with_newest(snapshot("new", NOW - HOUR, files=50, size=500), NOW)) == []


def test_a_lie_about_time_is_told_and_does_not_pass_for_a_backup():
    future = with_newest(snapshot("lie", NOW + 10 * 365 * DAY, files=1), NOW)
    assert kinds(future) == ["future"]
    assert trusted_in_order(future.snapshots, future.arrived)[-1].id == "s0"
    assert kinds(with_newest(snapshot("lie", NOW - 365 * DAY), NOW)) == ["backdated"]
    garbage = good(arrived={**good().arrived, "garbage": NOW})
    assert kinds(garbage) == ["unreadable"]


@given(TIMES, TIMES)
def test_a_snapshot_is_trusted_only_near_its_arrival(claimed, arrival):
    found = untrusted([snapshot("a", claimed)], {"a": arrival})
    near = -FUTURE_SECONDS <= arrival - claimed <= BACKDATED_SECONDS
    assert (found == {}) == near


@given(st.lists(st.tuples(TIMES, TIMES), max_size=8))
def test_order_is_by_arrival_and_leaves_out_all_that_is_untrusted(pairs):
    snapshots = [snapshot(str(n), claimed) for n, (claimed, _) in enumerate(pairs)]
    arrived = {str(n): arrival for n, (_, arrival) in enumerate(pairs)}
    ordered = trusted_in_order(snapshots, arrived)
    assert [arrived[s.id] for s in ordered] == sorted(arrived[s.id] for s in ordered)
    assert {s.id for s in ordered} == set(arrived) - set(untrusted(snapshots, arrived))


@given(st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef")))
def test_no_plan_is_carried_out_that_knows_more_than_was_judged(keep, remove, judged):
    allowed = not may_forget(Plan(tuple(keep), tuple(remove)), judged)
    assert not allowed or (keep | remove <= judged and (keep or not remove))


@given(st.integers(1, 12), st.integers(1, 30))
def test_every_part_is_checked_once_in_each_cycle(cycle, rounds):
    checks: dict[str, Outcome] = {}
    picked = []
    for night in range(rounds * cycle):
        n = next_subset(checks, cycle)
        picked.append(n)
        checks = remembered({**checks, f"{n}/{cycle}": Outcome(1.0 + night)}, cycle)
    for start in range(0, len(picked), cycle):
        assert sorted(picked[start : start + cycle]) == list(range(1, cycle + 1))


def test_a_failed_check_is_remembered_over_another_cycle_until_a_whole_one_was_good():
    checks = {"2/7": Outcome(10, ok=False), "1/7": Outcome(9)}
    checks = remembered({**checks, "1/2": Outcome(11)}, 2)
    assert set(checks) == {"1/2", "2/7"}
    bad = remembered({**checks, "2/2": Outcome(12, ok=False)}, 2)
    assert set(bad) == {"1/2", "2/2", "2/7"}
    assert set(remembered({**checks, "2/2": Outcome(12)}, 2)) == {"1/2", "2/2"}


def test_the_usual_is_the_median_of_the_seven_before():
    sizes = [1, 1, 5, 5, 5, 9, 9, 9, 9, 70]
    ordered = [snapshot(str(n), n, files=size, size=size * 10) for n, size in enumerate(sizes)]
    assert usual_size(ordered) == (9, 90)
    assert usual_size(ordered[:1]) is None


STANZA = Stanza("omero", ok=True, message="ok", backups=(Backup("F", "full", NOW - HOUR, 1, error=False),))


@pytest.mark.parametrize(
    ("stanza", "wal", "kind"),
    [
        (STANZA, NOW - 60, []),
        (STANZA, NOW - 301, ["wal"]),
        (STANZA, None, ["wal"]),
        (None, None, ["base_backup"]),
        (replace(STANZA, backups=()), NOW, ["base_backup"]),
        (replace(STANZA, backups=(Backup("F", "full", NOW - 27 * HOUR, 1, error=False),)), NOW, ["base_backup"]),
        (replace(STANZA, backups=(Backup("F", "full", NOW, 1, error=True),)), NOW, ["base_backup"]),
        (replace(STANZA, ok=False, message="no valid backups"), NOW, ["base_backup"]),
    ],
)
def test_a_database_needs_a_fresh_base_backup_and_fresh_log(stanza, wal, kind):
    found = judge_stanza("omero", stanza, wal, expected_seconds=26 * HOUR, wal_seconds=300, now=NOW)
    assert [problem.kind for problem in found] == kind


def test_a_drill_must_have_been_and_be_good_and_fresh():
    def drilled(outcome: Outcome | None) -> int:
        return len(judge_drill("weekly_drill", "", outcome, 8 * DAY, NOW))

    assert drilled(Outcome(NOW - 7 * DAY)) == 0
    assert [drilled(outcome) for outcome in (None, Outcome(NOW, ok=False), Outcome(NOW - 9 * DAY))] == [1, 1, 1]


def test_a_drill_on_a_host_of_its_own_is_told_by_its_name():
    (found,) = judge_drill("host_drill", "omero", Outcome(NOW, ok=False, message="3 files are missing"), 8 * DAY, NOW)
    assert "of omero on a host of its own failed (3 files are missing)" in found.message


PROBLEMS = st.lists(st.builds(Problem, st.sampled_from(["age", "disk"]), st.sampled_from(["", "a", "b"]), st.text()))


@given(PROBLEMS, PROBLEMS)
def test_a_problem_is_new_once_and_keeps_the_time_since_when_it_is_known(first, second):
    told, new = merged(first, {}, "t1")
    assert [entry["id"] for entry in told] == new
    later, fresh = merged(second, {"problems": told}, "t2")
    for entry in later:
        known = entry["id"] in new
        assert entry["since"] == ("t1" if known else "t2")
        assert (entry["id"] in fresh) != known


@given(st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_an_old_report_of_another_shape_is_no_obstacle(problems):
    told, new = merged([Problem("age", "a", "m")], {"problems": problems if isinstance(problems, list) else []}, "t")
    assert len(told) == 1
    assert new in (["age:a"], [])


def test_a_full_repository_is_reported_until_a_backup_came_in_again_and_the_disk_is_not_blamed_on_the_quota():
    def told(refusals, **different):
        return [
            one.message
            for one in judge_repository(good(refusals=refusals, **different), Limits(), NOW)
            if one.kind == "quota"
        ]

    # The newest backup of good() came in an hour ago.
    assert told(Refusals({}, 3, NOW - 2 * HOUR)) == []
    assert told(Refusals({}, 3, NOW - HOUR / 2)) == [
        "omero1 was full, 3 uploads were refused: it was the disk and not the quota, see docs/runbooks/backup-full.md"
    ]
    assert "raise its quota, or see" in told(Refusals({}, 3, NOW - HOUR / 2), bytes=99)[0]
    assert "not the quota" in told(Refusals({}, 3, NOW), quota_bytes=0)[0]
