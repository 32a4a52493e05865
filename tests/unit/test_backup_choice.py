# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backups belong to a moment: the rules, for every history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.backup.choice import AROUND, FIRST_SINCE, LAST_BEFORE, ChoiceError, choose, moment_of, named, shown_moment


@dataclass(frozen=True)
class Snapshot:
    id: str
    time: float


times = st.integers(0, 60)
histories = st.lists(times, unique=True, max_size=8).map(lambda at: [Snapshot(f"{one:08x}", float(one)) for one in at])


def chosen(history, rule, moment=None, earliest=None):
    return [snapshot.time for snapshot in choose(history, rule, moment, earliest)]


@given(histories, times)
def test_the_last_before_a_moment_has_none_between_it_and_the_moment(history, moment):
    earlier = [snapshot.time for snapshot in history if snapshot.time < moment]
    assert chosen(history, LAST_BEFORE, moment) == ([max(earlier)] if earlier else [])


@given(histories, times)
def test_around_a_moment_nothing_lies_between_the_two_and_none_is_chosen_without_one_before(history, moment):
    found = chosen(history, AROUND, moment)
    earlier = [snapshot.time for snapshot in history if snapshot.time <= moment]
    later = [snapshot.time for snapshot in history if snapshot.time > moment]
    assert found == ([max(earlier), *([min(later)] if later else [])] if earlier else [])


@given(histories, times, times)
def test_the_first_since_a_moment_holds_what_there_was_then_or_the_last_since_the_earliest(history, moment, earliest):
    found = chosen(history, FIRST_SINCE, moment, earliest)
    later = [snapshot.time for snapshot in history if snapshot.time >= moment]
    allowed = [snapshot.time for snapshot in history if snapshot.time >= earliest]
    assert found == ([min(later)] if later else [max(allowed)] if allowed else [])


@given(histories, st.sampled_from([LAST_BEFORE, AROUND, FIRST_SINCE]))
def test_without_a_moment_the_newest_is_chosen(history, rule):
    assert chosen(history, rule) == sorted(snapshot.time for snapshot in history)[-1:]


@given(histories, st.sampled_from([LAST_BEFORE, AROUND, FIRST_SINCE]), times, st.randoms())
def test_the_order_of_the_list_is_of_no_matter(history, rule, moment, draw):
    mixed = list(history)
    draw.shuffle(mixed)
    assert choose(mixed, rule, moment) == choose(history, rule, moment)


def test_a_rule_that_there_is_not_is_an_error():
    with pytest.raises(ValueError, match="none of the rules"):
        choose([], "newest", 1)


def test_a_backup_is_named_by_the_beginning_of_its_id():
    history = [Snapshot("1a2b", 1), Snapshot("1a3c", 2)]
    assert named(history, "1a3") == [history[1]]


@pytest.mark.parametrize(("beginning", "reason"), [("ff", "no backup"), ("1a", "2 backups"), ("", "no backup")])
def test_a_name_that_fits_none_or_several_is_refused_with_those_that_there_are(beginning, reason):
    with pytest.raises(ChoiceError, match=f"{reason}.*the newest are 1a2b, 1a3c"):
        named([Snapshot("1a3c", 2), Snapshot("1a2b", 1)], beginning)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-24", "2026-11-23 23:00"),
        ("2026-11-24 18:00", "2026-11-24 17:00"),
        ("2026-07-01 18:00:30", "2026-07-01 16:00:30"),
        # This hour comes twice; the first of the two is meant.
        ("2026-10-25 02:30", "2026-10-25 00:30"),
    ],
)
def test_a_time_is_the_facility_s(text, utc):
    assert moment_of(text, "Europe/Berlin") == datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01", "2026-11-24T18:00:00+01:00"])
def test_what_is_no_time_is_refused_with_the_cure(text):
    with pytest.raises(ValueError, match="write it like 2026-11-24"):
        moment_of(text, "Europe/Berlin")


def test_a_moment_is_shown_by_the_facility_s_clocks_also_in_the_hour_that_comes_twice():
    assert shown_moment(moment_of("2026-11-24 18:00:30", "Europe/Berlin"), "Europe/Berlin") == "2026-11-24 18:00:30 CET"
    twice = moment_of("2026-10-25 02:30", "Europe/Berlin")
    assert [shown_moment(twice + later, "Europe/Berlin") for later in (0, 3600.9)] == [
        "2026-10-25 02:30:00 CEST",
        "2026-10-25 02:30:00 CET",
    ]
