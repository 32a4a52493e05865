# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd's units: one question for all, and only what must be is done. Real units are in every scenario."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.core.units import (
    Seen,
    Step,
    Unit,
    UnitsError,
    apply,
    file_times,
    know_newer_files,
    no_later_than_now,
    plan,
    seen,
)

RUNS = Seen("loaded", "active", "enabled")
RESTS = Seen("loaded", "inactive", "disabled")
GONE = Seen("not-found", "inactive", "")
MASKED = Seen("masked", "inactive", "masked")


def steps(unit, now, **options):
    return [step.verb for step in plan([unit], {unit.name: now}, options.pop("times", {}), **options)]


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
    assert steps(unit, GONE, changing=[]) == ["enable", "start"]


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


def block(**values):
    return "".join(f"{name}={value}\n" for name, value in values.items())


def test_all_units_are_asked_in_one_call():
    calls = []

    def run(words):
        calls.append(words)
        running = block(Id="a.service", LoadState="loaded", ActiveState="active", UnitFileState="enabled")
        return running + "\n" + block(Id="b.timer", LoadState="not-found", ActiveState="inactive", UnitFileState="")

    assert seen(["a.service", "b.timer"], run) == {"a.service": RUNS, "b.timer": GONE}
    assert len(calls) == 1
    with pytest.raises(UnitsError, match="whole name"):
        seen(["a.service"], run)


def ago(seconds, clock_ahead=0.0):
    """What systemd shows of something that was so long ago, when the clock was ahead by so much: text, microseconds."""
    moment = time.time() - seconds + clock_ahead
    text = time.strftime("%a %Y-%m-%d %H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1e6):06d} UTC"
    return text, int((time.clock_gettime(time.CLOCK_MONOTONIC) - seconds) * 1e6)


def one_seen(started, entered, changed, result="success", clock_ahead=0.0):
    (began, began_at), (_, entered_at) = ago(started, clock_ahead), ago(entered)
    # A start's end is one moment for systemd, not two.
    (moved, moved_at) = ago(changed, clock_ahead)
    moved_at = entered_at if changed == entered else moved_at
    text = block(
        LoadState="loaded",
        ActiveState="active",
        UnitFileState="enabled",
        InactiveExitTimestamp=began,
        InactiveExitTimestampMonotonic=began_at,
        ActiveEnterTimestampMonotonic=entered_at,
        StateChangeTimestamp=moved,
        StateChangeTimestampMonotonic=moved_at,
        ReloadResult=result,
    )
    return seen(["a.service"], lambda _: text)["a.service"]


def test_a_unit_has_read_its_files_when_it_began_to_start_or_was_reloaded_well():
    now = time.time()
    never = one_seen(500, 490, 490)
    assert (now - never.started, now - never.read) == pytest.approx((500, 500), abs=5)
    reloaded = one_seen(500, 490, 20)
    assert (now - reloaded.started, now - reloaded.read) == pytest.approx((500, 20), abs=5)
    failed = one_seen(500, 490, 20, result="exit-code")
    assert now - failed.read == pytest.approx(500, abs=5)


def test_a_clock_that_was_put_back_makes_no_unit_younger():
    assert time.time() - one_seen(500, 490, 490, clock_ahead=86400).started == pytest.approx(500, abs=5)
    # One that was put forward: then its files are as much older as it is.
    assert time.time() - one_seen(500, 490, 490, clock_ahead=-86400).started == pytest.approx(86900, abs=5)


STARTED_AT = Seen("loaded", "active", "enabled", started=1000.0, read=2000.0)
READER = Unit("a.service", "started", restart_for=("/etc/a.conf",), reload_for=("/etc/a.d",))


@pytest.mark.parametrize(
    ("times", "now", "verbs"),
    [
        ({"/etc/a.conf": 900.0, "/etc/a.d": 900.0}, STARTED_AT, []),
        ({"/etc/a.conf": 1500.0, "/etc/a.d": 900.0}, STARTED_AT, ["restart"]),
        ({"/etc/a.conf": 900.0, "/etc/a.d": 1500.0}, STARTED_AT, []),
        ({"/etc/a.conf": 900.0, "/etc/a.d": 2500.0}, STARTED_AT, ["reload-or-restart"]),
        ({"/etc/a.conf": 1500.0, "/etc/a.d": 2500.0}, STARTED_AT, ["restart"]),
        # What does not run reads them when it starts.
        ({"/etc/a.conf": 1500.0, "/etc/a.d": 900.0}, Seen("loaded", "failed", "enabled", 1000.0, 1000.0), ["start"]),
        # Its own file, and a part of it that the facility added or took away.
        (
            {"/etc/a.conf": 1.0, "/etc/a.d": 1.0, "/etc/systemd/system/a.service.d": 1500.0},
            STARTED_AT,
            ["restart"],
        ),
    ],
)
def test_a_unit_that_runs_with_older_files_than_the_disk_s_reads_them_again(times, now, verbs):
    assert steps(READER, now, times=times) == verbs


def test_a_unit_that_shall_rest_or_may_do_either_is_not_started_for_its_files():
    times = {"/etc/a.conf": 1500.0}
    rests = Seen("loaded", "inactive", "enabled", 1000.0, 1000.0)
    assert steps(Unit("a.service", restart_for=("/etc/a.conf",)), rests, times=times) == []
    stopped = Unit("a.service", "stopped", restart_for=("/etc/a.conf",))
    assert steps(stopped, STARTED_AT, times=times) == ["stop"]


def test_check_mode_shows_the_restart_that_a_change_of_this_run_would_lead_to():
    def shown(*paths):
        return steps(READER, STARTED_AT, changing=paths)

    assert shown() == []
    assert shown("/etc/a.conf") == ["restart"]
    assert shown("/etc/a.d/one.conf") == ["reload-or-restart"]
    assert shown("/etc/a.conf.old", "/etc/a.dd") == []
    assert shown("/etc/systemd/system/a.service") == ["restart"]


def test_a_file_that_is_not_there_is_refused_for_it_could_never_restart_anything():
    with pytest.raises(UnitsError, match=r"a\.service is said to read /etc/a\.d, which is not there"):
        steps(READER, STARTED_AT, times={"/etc/a.conf": 1.0})


def test_a_template_s_file_counts_for_its_instances():
    assert Unit("a@b.service", "started").own_files() == (
        "/etc/systemd/system/a@b.service",
        "/etc/systemd/system/a@b.service.d",
        "/etc/systemd/system/a@.service",
        "/etc/systemd/system/a@.service.d",
    )
    assert Unit("a.service").own_files() == ()


def test_a_folder_is_as_new_as_what_is_in_it_and_old_dates_make_nothing_old(tmp_path):
    before = time.time() - 1
    inside = tmp_path / "folder" / "deep" / "file"
    inside.parent.mkdir(parents=True)
    inside.touch()
    os.utime(inside, (1, 1))
    link = tmp_path / "link"
    link.symlink_to("nowhere")
    times = file_times([str(tmp_path / "folder"), str(inside), str(link), str(tmp_path / "none")])
    assert set(times) == {str(tmp_path / "folder"), str(inside), str(link)}
    assert all(when > before for when in times.values())


def test_what_changed_in_the_future_has_changed_now_with_its_date_kept(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    os.utime(tmp_path / "file", (1000, 1000))
    changed = file_times([str(tmp_path)])[str(tmp_path)]
    # Nothing to do, nothing done.
    no_later_than_now([str(tmp_path)])
    assert file_times([str(tmp_path)])[str(tmp_path)] == changed
    monkeypatch.setattr(time, "time", lambda: changed - 3600)
    no_later_than_now([str(tmp_path)])
    assert (tmp_path / "file").stat().st_ctime > changed
    assert (tmp_path / "file").stat().st_mtime == 1000


def test_systemd_reads_newer_files_of_any_unit_and_only_then():
    calls = []

    def answers(text):
        return lambda words: calls.append(words[0]) or text

    some = "Id=a.service\nNeedDaemonReload=no\n\nId=b.timer\nNeedDaemonReload=yes\n"
    assert know_newer_files(answers(some)) == {"b.timer"}
    assert know_newer_files(answers(some), check_mode=True) == {"b.timer"}
    assert know_newer_files(answers(some.replace("yes", "no"))) == frozenset()
    assert calls == ["show", "daemon-reload", "show", "show"]
    spoilt = "Id=c.timer\nNeedDaemonReload=no\nLoadState=bad-setting\n"
    assert know_newer_files(answers(spoilt)) == {"c.timer"}
    assert calls[-1] == "daemon-reload"


def test_a_unit_that_somebody_started_by_an_older_unit_file_is_restarted():
    """Its start is newer than the file, but systemd had not read that."""
    times = {"/etc/a.conf": 900.0, "/etc/a.d": 900.0, "/etc/systemd/system/a.service.d": 900.0}
    assert steps(READER, STARTED_AT, times=times, stale={"a.service"}) == ["restart"]
    assert steps(READER, STARTED_AT, times=times, stale={"b.service"}) == []
    assert steps(Unit("a.service"), STARTED_AT, stale={"a.service"}) == []
    assert steps(READER, Seen("loaded", "inactive", "enabled"), times=times, stale={"a.service"}) == ["start"]


def test_the_unit_that_fails_is_named_and_those_after_it_are_left():
    calls = []

    def run(words):
        calls.append(words[0])
        if words[0] == "start":
            raise UnitsError("systemctl start b: failed")
        return ""

    with pytest.raises(UnitsError, match="see journalctl --unit=b on the host"):
        apply([Step("enable", "b"), Step("start", "b"), Step("start", "c")], run)
    assert calls == ["enable", "start"]
