# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd's units: one question for all, and only what must be is done. Real units are in every scenario."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.core.units import Seen, Step, Unit, UnitsError, apply, plan, seen

RUNS = Seen("loaded", "active", "enabled")
RESTS = Seen("loaded", "inactive", "disabled")
GONE = Seen("not-found", "inactive", "")
MASKED = Seen("masked", "inactive", "masked")


def steps(unit, now, **options):
    return [step.verb for step in plan([unit], {unit.name: now}, **options)]


@pytest.mark.parametrize(
    ("unit", "now", "verbs"),
    [
        (Unit("a", state="started", enabled=True), RESTS, ["enable", "start"]),
        (Unit("a", state="started", enabled=True), RUNS, []),
        (Unit("a", state="started", enabled=True), Seen("loaded", "active", "static"), []),
        (Unit("a", state="started"), Seen("loaded", "failed", "enabled"), ["start"]),
        (Unit("a", state="started"), Seen("loaded", "activating", "enabled"), []),
        (Unit("a", state="stopped", enabled=False), RUNS, ["disable", "stop"]),
        (Unit("a", state="stopped", enabled=False), RESTS, []),
        (Unit("a", state="stopped", masked=True), RUNS, ["stop", "mask"]),
        (Unit("a", masked=True), MASKED, []),
        (Unit("a", state="started", enabled=True, masked=False), MASKED, ["unmask", "enable", "start"]),
        (Unit("a"), RUNS, []),
        (Unit("a", state="stopped", enabled=False), GONE, []),
    ],
)
def test_only_what_is_not_as_it_should_be_is_done(unit, now, verbs):
    assert steps(unit, now) == verbs


def test_a_unit_that_isn_t_there_is_refused_and_in_check_mode_taken_for_one_that_will_be():
    unit = Unit("none.service", state="started", enabled=True)
    with pytest.raises(UnitsError, match=r"none\.service can't be started.*install what brings it"):
        steps(unit, GONE)
    assert steps(unit, GONE, check_mode=True) == ["enable", "start"]


units = st.builds(
    Unit,
    st.just("a"),
    st.sampled_from([None, "started", "stopped"]),
    st.sampled_from([None, True, False]),
    st.none(),
)


@given(units, st.sampled_from([RUNS, RESTS]))
def test_what_was_done_needs_not_be_done_again(unit, now):
    active, file = now.active, now.file
    for verb in steps(unit, now):
        active = {"start": "active", "stop": "inactive"}.get(verb, active)
        file = {"enable": "enabled", "disable": "disabled"}.get(verb, file)
    assert steps(unit, Seen("loaded", active, file)) == []


def test_all_units_are_asked_in_one_call():
    calls = []

    def run(words):
        calls.append(words)
        return (
            "Id=a.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no\n\n"
            "Id=b.timer\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\nNeedDaemonReload=yes\n"
        )

    assert seen(["a.service", "b.timer"], run) == {
        "a.service": RUNS,
        "b.timer": Seen("not-found", "inactive", "", True),
    }
    assert len(calls) == 1
    with pytest.raises(UnitsError, match="whole name"):
        seen(["a.service"], run)


def test_systemd_reads_newer_files_first_and_the_unit_that_fails_is_named():
    calls = []

    def run(words):
        calls.append(words[0])
        if words[0] == "start":
            raise UnitsError("systemctl start b: failed")
        return ""

    with pytest.raises(UnitsError, match="see journalctl --unit=b on the host"):
        apply([Step("enable", "b"), Step("start", "b"), Step("start", "c")], {"b": Seen("loaded", "", "", True)}, run)
    assert calls == ["daemon-reload", "enable", "start"]
