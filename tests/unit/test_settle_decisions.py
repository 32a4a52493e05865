# SPDX-License-Identifier: GPL-3.0-or-later
"""When a set is complete, and what OMERO missed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.drive.settle.config import Config, Rule
from facility.drive.settle.decisions import (
    Observed,
    Report,
    Summary,
    judge,
    missing,
    overlooked,
    quiet_seconds,
    unchanged_for,
    worth_a_look,
)
from facility.drive.settle.reasons import TEXTS, Reason, explanation

FOLDERS = {name: Path(f"/srv/{name}") for name in ("incoming", "staging", "dropbox", "quarantine", "state_dir")}
CONFIG = Config(**FOLDERS, monitor_file=Path("/run/w/w.json"), asked_file=Path("/run/s/a.json"))
RULE = Rule(60)
SECONDS = st.floats(0, 1e6, allow_nan=False)
COUNTS = st.integers(0, 3)
WORDS = st.sampled_from(["", "a.tif"])
SUMMARIES = st.builds(
    Summary, files=COUNTS, companions=COUNTS, empty=COUNTS, newest=SECONDS, partial=WORDS, unreadable=WORDS,
    unleasable=WORDS, writer=WORDS, hole=WORDS, example=st.just("a.tif"),
    refused=st.sampled_from([None, (Reason.SYMLINK, "l"), (Reason.FOREIGN, "f")]),
)  # fmt: skip
SIGHTS = st.builds(
    Observed, wall=SECONDS, steady=SECONDS, event=st.one_of(st.none(), SECONDS), same_since=SECONDS,
    watched=st.booleans(),
).filter(lambda seen: seen.same_since <= seen.steady and (seen.event or 0) <= seen.steady)  # fmt: skip


def good(**different: object) -> Summary:
    return Summary(**{"files": 2, "newest": 1000.0, "example": "a.tif", **different})  # type: ignore[arg-type]


def seen(quiet: float = 100) -> Observed:
    """At wall time 1000 + quiet, with no events for that long."""
    return Observed(wall=1000 + quiet, steady=5000, event=5000 - quiet, same_since=5000)


def judged(found: Summary, sight: Observed, rule: Rule = RULE, *, there: bool = False, probed: bool = True):
    return judge(found, rule, sight, CONFIG, sentinel_there=there, probed=probed)


@given(SUMMARIES, SIGHTS, st.booleans(), st.booleans(), st.sampled_from([RULE, Rule(5, sentinel="*.done")]))
def test_nothing_moves_that_is_not_complete(found, sight, there, probed, rule):
    verdict = judge(found, rule, sight, CONFIG, sentinel_there=there, probed=probed)
    if verdict.action != "move":
        return
    assert probed and found.files
    assert not (found.refused or found.partial or found.unreadable or found.unleasable or found.writer)
    unchanged = unchanged_for(sight, found.newest)
    assert not found.hole or unchanged >= CONFIG.gaps_wait_seconds
    assert there if rule.sentinel else unchanged >= quiet_seconds(found, rule, sight.silence, CONFIG)


@given(SUMMARIES, SIGHTS, st.booleans())
def test_a_wait_that_ends_by_itself_says_when_and_each_reason_has_words(found, sight, probed):
    verdict = judge(found, RULE, sight, CONFIG, sentinel_there=False, probed=probed)
    if verdict.reason is Reason.RECENT:
        assert verdict.seconds is not None and 0 < verdict.seconds <= RULE.quiet_seconds
    if verdict.reason:
        what, cure = explanation(verdict.reason, verdict.detail)
        assert what and not what.endswith(".") and cure.endswith(".")


@given(SIGHTS, SECONDS)
def test_a_clock_that_jumps_makes_nothing_complete_early(sight, newest):
    """Whatever the wall clock says, quiet is not longer than since the last event, or since it was seen alike."""
    if sight.event is not None:
        known = max(sight.steady - sight.event, sight.steady - sight.same_since)
        assert unchanged_for(sight, newest) <= known
    if not sight.watched:
        assert unchanged_for(sight, newest) == sight.steady - sight.same_since


def test_after_a_restart_a_time_in_the_past_is_enough_and_one_in_the_future_is_not():
    start = Observed(wall=2000, steady=10, event=None, same_since=10)
    assert unchanged_for(start, 1900) == 100
    assert unchanged_for(start, 2100) == 0
    later = Observed(wall=2000, steady=75, event=None, same_since=10)
    assert unchanged_for(later, 2100) == 65


@pytest.mark.parametrize(
    ("found", "action", "reason"),
    [
        (good(), "move", None),
        (good(writer="a.tif"), "wait", Reason.WRITER),
        (good(hole="a.tif"), "wait", Reason.HOLES),
        (good(reader="a.tif"), "wait", Reason.READER),
        (good(lacking="a.vsi"), "wait", Reason.INCOMPLETE),
        (good(pieces="a.zarr"), "wait", Reason.PIECES),
        (good(files=1001, apart=False), "wait", Reason.TOO_MANY),
        (good(files=1001), "move", None),
        (good(partial="b.part"), "wait", Reason.PARTIAL),
        (good(unleasable="a.tif"), "wait", Reason.UNLEASABLE),
        (good(unreadable="a.tif"), "wait", Reason.UNREADABLE),
        (good(refused=(Reason.SYMLINK, "l")), "quarantine", Reason.SYMLINK),
        (good(files=0, empty=1), "wait", Reason.EMPTY_FILES),
        (good(files=0, ignored=3), "wait", Reason.NOTHING),
        (good(empty=1), "move", None),
        (good(files=0, companions=1), "wait", Reason.NO_FORMAT),
        (good(files=0), "wait", Reason.NOTHING),
    ],
)
def test_a_quiet_set(found, action, reason):
    verdict = judged(found, seen())
    assert (verdict.action, verdict.reason) == (action, reason)


def test_what_omero_can_not_take_is_put_aside_after_an_hour():
    for found in (good(files=0, companions=1), good(files=0, empty=1), good(unreadable="a.tif")):
        assert judged(found, seen(3599)).action == "wait"
        assert judged(found, seen(3601)).action == "quarantine"


@pytest.mark.parametrize(
    "found", [good(files=0, empty=1), good(files=0, companions=1), good(refused=(Reason.HARD_LINK, "l"))]
)
def test_nor_is_anything_put_aside_while_somebody_writes_it(found):
    assert judged(found, seen(3601), probed=False).action == "probe"
    assert judged(found, seen(3601)).action == "quarantine"
    found.writer = "a.tif"
    assert judged(found, seen(3601)).reason is Reason.WRITER


def test_a_sentinel_completes_at_once_and_nothing_else_does():
    rule = Rule(60, sentinel="*.done")
    assert judged(good(), seen(1), rule, there=True).action == "move"
    assert judged(good(), seen(1e5), rule).reason is Reason.SENTINEL
    assert judged(good(writer="a.tif"), seen(1), rule, there=True).reason is Reason.WRITER


def test_what_was_written_there_waits_longer_than_what_was_copied_unless_a_rule_says_how_long():
    assert quiet_seconds(good(), RULE, 0, CONFIG) == 60
    assert quiet_seconds(good(written=True), RULE, 0, CONFIG) == CONFIG.written_quiet_seconds
    assert quiet_seconds(good(written=True), Rule(5, instrument="lightsheet"), 0, CONFIG) == 5


def test_what_came_again_after_a_silence_waits_for_three_such_silences_but_not_for_ever():
    assert quiet_seconds(good(), RULE, 50, CONFIG) == 150
    assert quiet_seconds(good(), Rule(5, instrument="lightsheet"), 50, CONFIG) == 150
    assert quiet_seconds(good(), RULE, 1e6, CONFIG) == 3600


def test_evidence_that_can_be_wrong_has_an_end():
    for found, seconds in (
        (good(hole="a.tif"), CONFIG.gaps_wait_seconds),
        (good(reader="a.tif"), CONFIG.reader_wait_seconds),
        (good(lacking="a.vsi"), CONFIG.incomplete_wait_seconds),
    ):
        assert judged(found, seen(seconds - 1)).action == "wait"
        assert judged(found, seen(seconds + 1)).action == "move"


def test_a_set_is_probed_only_when_it_is_quiet():
    assert judged(good(), seen(59), probed=False).reason is Reason.RECENT
    assert judged(good(), seen(61), probed=False).action == "probe"


def test_every_reason_has_words():
    assert set(TEXTS) == set(Reason)


# What OMERO missed.

REPORT = Report(time=1000, alive=True, since=10, watching=frozenset({"aadler"}), imported={"aadler/s": {"a.tif"}})


def look(**different):
    return worth_a_look(
        REPORT, CONFIG, **{"key": "aadler/s", "files": 2, "offered_at": 900, "passed": False, **different}
    )


def test_nothing_is_decided_without_an_answer_about_the_set_itself():
    assert not look(key="aadler/other", files=0, passed=True)
    assert not look(files=0, offered_at=1000)


def test_a_set_is_looked_at_when_it_may_be_done_or_missed():
    assert not look()
    assert look(files=1)
    assert look(passed=True)
    assert look(offered_at=9)


def test_a_restart_counts_only_when_the_old_process_had_time_to_end():
    restarted = Report(time=1000, alive=True, since=980)
    assert not overlooked(restarted, 900, CONFIG)
    assert overlooked(Report(time=1011, alive=True, since=980), 900, CONFIG)
    assert not overlooked(Report(time=1011, alive=True, since=980), 985, CONFIG)


@given(st.sets(st.text("ab/", min_size=1)), st.sets(st.text("ab/", min_size=1)))
def test_missing_is_what_was_expected_and_not_imported(expected, imported):
    report = Report(time=1, alive=True, imported={"aadler/s": imported})
    absent, at_work = missing(report, "aadler/s", expected, file=False)
    assert set(absent) == expected - imported and not at_work


def test_omero_is_at_a_set_while_it_is_at_one_of_its_files():
    report = Report(time=1, alive=True, importing=frozenset({"aadler/s/a.tif", "aadler/loose.tif"}))
    assert missing(report, "aadler/s", ["b.tif"], file=False) == (["b.tif"], True)
    assert missing(report, "aadler/loose.tif", ["loose.tif"], file=True) == (["loose.tif"], True)
    assert missing(report, "aadler/se", ["b.tif"], file=False) == (["b.tif"], False)


@pytest.mark.parametrize(("age", "fresh"), [(0, True), (15, True), (15.1, False), (-0.5, True), (-2, False)])
def test_a_report_is_relied_on_for_a_while(age, fresh):
    assert REPORT.fresh(1000 + age, CONFIG.monitor_max_age) is fresh
    assert not Report(time=1000).fresh(1000, CONFIG.monitor_max_age)
