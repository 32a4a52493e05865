# SPDX-License-Identifier: GPL-3.0-or-later
"""When playbooks/people.yml runs by itself, and when not."""

from datetime import date

import pytest

from facility.people.follow import RETRY_SECONDS, Followed, follow, why
from facility.people.pull import PullError

TODAY = date(2026, 6, 15)


@pytest.mark.parametrize(
    ("last", "now", "has_moved", "reason"),
    [
        (Followed(), 1000, False, "a day has begun"),
        (Followed("2026-06-15"), 1000, False, ""),
        (Followed("2026-06-15"), 1000, True, "the register has moved"),
        (Followed("2026-06-14"), 1000, False, "a day has begun"),
        (Followed("2026-06-15", 900), 1000, True, ""),
        (Followed("2026-06-15", 900), 900 + RETRY_SECONDS, False, "the last run failed"),
        # The clock was set back: it does not wait for years.
        (Followed("2026-06-15", 9e9), 1000, False, "the last run failed"),
    ],
)
def test_a_run_has_a_reason(last, now, has_moved, reason):
    assert why(last, TODAY, now, has_moved=has_moved) == reason


@pytest.fixture
def asked(monkeypatch):
    """What the register answers, to be changed by the test."""
    answers = {"moved": False, "fault": None}

    def moved(_folder):
        if answers["fault"]:
            raise answers["fault"]
        return answers["moved"]

    monkeypatch.setattr("facility.people.follow.moved", moved)
    return answers


def test_what_failed_is_tried_again_until_it_went_well_and_complains_once(tmp_path, asked):
    codes = [1, 1, 0]
    ran = []

    def run():
        ran.append(1)
        return codes[len(ran) - 1]

    now = 1000.0
    ended = []
    for _minute in range(20):
        ended.append(follow(tmp_path, TODAY, now, run)[1])
        now += 60
    assert len(ran) == 3
    assert ended == [1] + 19 * [0]
    asked["moved"] = True
    assert follow(tmp_path, TODAY, now, lambda: 0) == ("It was run, for the register has moved; exit code 0.", 0)
    # All was well in between, so that the next fault is a new one.
    assert follow(tmp_path, TODAY, now + 60, lambda: 4)[1] == 4


def test_a_register_that_is_down_stops_no_new_day_and_is_said_otherwise_once_an_hour(tmp_path, asked):
    asked["fault"] = PullError("it is away")
    assert follow(tmp_path, TODAY, 1000.0, lambda: 0)[0] == "It was run, for a day has begun; exit code 0."
    ended = [
        follow(tmp_path, TODAY, 1060.0 + 60 * minute, lambda: pytest.fail("nothing is due")) for minute in range(70)
    ]
    assert [code for _, code in ended] == [1, *59 * [0], 1, *9 * [0]]
    assert {said for said, _ in ended} == {"it is away"}
    asked["fault"] = None
    assert follow(tmp_path, TODAY, 9000.0, lambda: 0) == ("", 0)
    asked["fault"] = PullError("it is away")
    assert follow(tmp_path, TODAY, 9060.0, lambda: 0)[1] == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"day": 1}', '{"failed": "x"}'])
def test_a_state_that_is_none_only_means_that_it_runs(tmp_path, asked, text):
    (tmp_path / ".followed.json").write_text(text)
    assert "a day has begun" in follow(tmp_path, TODAY, 1000.0, lambda: 0)[0]


def test_the_command_runs_what_it_is_given_and_ends_as_that_does(tmp_path, asked, monkeypatch):
    from typer.testing import CliRunner

    from facility.people.follow_command import app

    inventory = tmp_path / "inventory"
    (inventory / "group_vars/all").mkdir(parents=True)
    (inventory / "register").mkdir()
    (inventory / "group_vars/all/facility.yml").write_text(
        "facility_time_zone: Europe/Berlin\nfacility_research_groups: [{name: n, title: N}]\nfacility_instruments:\n"
        "  - {name: c, title: C, host: mic1, location: Room 1, biosafety: none}\n"
    )
    mark = tmp_path / "ran"
    call = ["follow", "--inventory", str(inventory), "--", "sh", "-c", f"echo x >> {mark}; exit 3"]
    first = CliRunner().invoke(app, call)
    assert (first.exit_code, mark.read_text()) == (3, "x\n"), first.output
    assert "a day has begun" in first.output
    assert CliRunner().invoke(app, call).exit_code == 0
    assert mark.read_text() == "x\n"
