# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody is told of a service that restarts for ever, once a day, and of none that restarted once."""

from __future__ import annotations

import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.host.restarts import __main__ as program
from facility.host.restarts.judgement import AGAIN_SECONDS, LOOKS, Memory, Service, judge

STEP = 300.0
NOW = 1_800_000_000.0
MAIL = "facility-mail@%s.service"


def looks(counts, **state):
    """At which looks somebody was told of a service that had restarted so often by then."""
    known, told = {}, []
    for number, count in enumerate(counts):
        tell, known = judge([Service("a.service", count, **state)], known, NOW + number * STEP)
        told += [number] if tell else []
    return told


def test_one_that_restarts_for_ever_is_told_within_a_quarter_of_an_hour_and_then_once_a_day():
    day = int(AGAIN_SECONDS / STEP)
    assert looks(range(0, 60 * (day + 9), 60)) == [LOOKS, LOOKS + day]


def test_one_that_starts_slowly_and_fails_is_told_too():
    # Every twenty minutes.
    assert looks([number // 4 for number in range(60)]) == [12]


@pytest.mark.parametrize(
    "counts",
    [
        [0] * 50,
        # A crash, and one that was mended after a few tries.
        [0, 1, *[1] * 50],
        [0, 30, 55, *[55] * 50],
        # One each hour, which is no reason to write at night.
        [number // 12 for number in range(200)],
    ],
)
def test_one_that_came_up_again_is_not_told(counts):
    assert looks(counts) == []


def test_a_count_that_begins_anew_is_somebody_s_start():
    assert looks([9, 0, 0, 0, 0]) == []
    # And goes on.
    assert looks([50, 2, 4, 6]) == [2]


def test_one_that_has_given_up_is_told_unless_it_tells_by_itself():
    assert looks([5, 5, 5], failed=True) == [0]
    assert looks([5, 5, 5], failed=True, tells=True) == []
    # Mended, and given up again within a day.
    known = {}
    told = []
    for failed in (True, False, True):
        tell, known = judge([Service("a.service", 0, failed)], known, NOW)
        told.append(bool(tell))
    assert told == [True, False, True]


@given(st.lists(st.integers(0, 9), max_size=40), st.floats(-1e6, 1e6, allow_nan=False))
def test_nothing_is_told_twice_in_a_day_wherever_the_clock_jumps(counts, jump):
    known: dict[str, Memory] = {}
    times = []
    for number, count in enumerate(counts):
        now = NOW + number * STEP
        tell, known = judge([Service("a.service", count, failed=True)], known, now)
        times += [now] if tell else []
    assert len(times) == (1 if counts else 0)
    # A clock that was put back or forward costs one more at the most, and stops nothing.
    assert len(judge([Service("a.service", 0, failed=True)], known, NOW + jump)[0]) <= 1


SHOWN = """Restart=always
NRestarts=277
OnFailure=
Id=omero-dropbox-monitor.service
LoadState=loaded
ActiveState=activating

Restart=no
NRestarts=0
OnFailure=facility-mail@facility-backup.service.service
Id=facility-backup.service
LoadState=loaded
ActiveState=failed

Restart=on-failure
NRestarts=5
OnFailure=facility-mail@nginx.service.service
Id=nginx.service
LoadState=loaded
ActiveState=failed

Restart=no
Id=gone.service
LoadState=not-found
ActiveState=inactive
"""


def test_services_that_systemd_starts_again_are_read_from_what_it_shows():
    assert program.services(SHOWN, MAIL) == [
        Service("omero-dropbox-monitor.service", 277),
        Service("nginx.service", 5, failed=True, tells=True),
    ]


@pytest.fixture
def systemd(monkeypatch):
    """A systemctl that shows one unit restarting; returns the units that were started."""
    started, count = [], iter(range(0, 600, 60))

    def systemctl(*words):
        if words[0] == "show":
            return SHOWN.replace("NRestarts=277", f"NRestarts={next(count)}")
        started.append(words[-1])
        return ""

    monkeypatch.setattr(program, "_systemctl", systemctl)
    return started


@pytest.mark.parametrize("found", [None, "", "{", '{"a": 1}', "[]", '{"a.service": [1, "x", 2]}'])
def test_mail_is_started_for_the_service_and_a_broken_memory_begins_anew(systemd, tmp_path, found):
    state = tmp_path / "state.json"
    if found is not None:
        state.write_text(found)
    assert [program.main([str(state), MAIL]) for _ in range(5)] == [0] * 5
    assert systemd == ["facility-mail@omero-dropbox-monitor.service.service"]
    assert json.loads(state.read_text())["omero-dropbox-monitor.service"][0] == 240


def test_a_systemd_that_does_not_answer_is_said(monkeypatch, tmp_path, capsys):
    def systemctl(*words):
        raise subprocess.CalledProcessError(1, ["systemctl", *words], stderr="Failed to connect to bus\n")

    monkeypatch.setattr(program, "_systemctl", systemctl)
    assert program.main([str(tmp_path / "state.json"), MAIL]) == 1
    assert "Failed to connect to bus" in capsys.readouterr().err
