# SPDX-License-Identifier: GPL-3.0-or-later
"""An inspection reads once, judges without touching anything, and writes everything at its end."""

from __future__ import annotations

import builtins
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from facility.backup.health import Problem
from facility.backup.pgbackrest import PgbackrestError
from facility.backup.server import host, inspection, observe, state
from facility.backup.server.config import Config, HostDrillConfig, RepositoryConfig, StanzaConfig
from facility.backup.server.host import Disk, HostError
from facility.backup.server.judgement import judge
from facility.backup.server.observe import Seen, SeenDrills
from facility.backup.server.report import report

NOW = 1_800_000_000.0
DAY = 86400
OMERO = HostDrillConfig("omero", days=8, hours=12)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Of one client and one database; files in folders of the test."""
    for folder in ("state", "database", "repository", "repository/keys", "repository/locks", "repository/snapshots"):
        (tmp_path / folder).mkdir()
    return Config(
        tmp_path / "state", tmp_path / "backup.prom", tmp_path / "database", tmp_path / "database.prom", tmp_path,
        tmp_path, repositories=(RepositoryConfig("omero1", tmp_path / "repository", "client", {}),),
        stanzas=(StanzaConfig("images", Path("/usr/lib/postgresql/15/bin")),), host_drills=(OMERO,),
        timers=("backup-check.timer",), weekly_drill_days=9,
    )  # fmt: skip


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the host answers; an exception is raised."""
    answers: dict[str, Any] = {
        "active": {"backup-check.timer": True}, "disk": Disk(free=50, size=100), "journal_begins": NOW - 9 * DAY,
    }  # fmt: skip

    def answer(name: str) -> Any:
        if isinstance(answers[name], Exception):
            raise answers[name]
        return answers[name]

    def no_pgbackrest(*_: object) -> None:
        raise PgbackrestError("pgbackrest isn't there")

    for name in answers:
        monkeypatch.setattr(host, name, lambda *_, name=name: answer(name))
    monkeypatch.setattr(observe.pgbackrest, "info", no_pgbackrest)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    return answers


def kinds(problems: list[Problem]) -> list[tuple[str, str]]:
    return sorted((problem.kind, problem.repository) for problem in problems)


def test_what_can_not_be_read_is_a_problem_and_never_skipped(config, around):
    around.update({name: HostError(f"no {name}") for name in around})
    (config.state / state.REPORT_FILE).write_text('{"time": "2027-01-15T07:00:00+00:00"}')
    (config.state / state.WEEKLY_FILE).write_text("[]")
    found = judge(observe.observe(config, NOW))
    assert {(problem.kind, problem.repository) for problem in found} >= {
        ("timer", ""), ("disk", ""), ("unreadable", ""), ("unreadable", "omero1"), ("unreadable", "images"),
        ("drill_database", ""),
    }  # fmt: skip
    messages = "\n".join(problem.message for problem in found)
    for words in ("no active", "no disk", "no journal_begins", "pgbackrest isn't there", "start this by its unit"):
        assert words in messages


def test_observing_writes_nothing(config, around, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    observe.observe(config, NOW)
    assert sorted(tmp_path.rglob("*")) == before


def test_judging_reads_nothing_and_comes_to_the_same_again(config, around, monkeypatch):
    seen = observe.observe(config, NOW)

    def touched(*_: object, **__: object) -> None:
        raise AssertionError("judge() touches the host")

    for module, name in ((builtins, "open"), (subprocess, "Popen"), (Path, "read_text"), (Path, "stat")):
        monkeypatch.setattr(module, name, touched)
    first, second = judge(seen), judge(seen)
    monkeypatch.undo()
    assert first == second
    assert first


def test_a_report_is_written_once_with_its_figures_and_what_is_new_is_said_once(config, around, monkeypatch):
    written: list[str] = []
    real = state.write

    def noted(file: Path, *rest: Any, **more: Any) -> None:
        written.append(file.name)
        real(file, *rest, **more)

    monkeypatch.setattr(state, "write", noted)
    monkeypatch.setattr(inspection.time, "time", lambda: NOW)
    messages = inspection.run(config)
    assert messages
    assert sorted(written) == [state.REPORT_FILE, state.STATE_FILE]
    document = json.loads((config.state / state.REPORT_FILE).read_text())
    assert document["time"] == "2027-01-15T08:00:00+00:00"
    assert [problem["message"] for problem in document["problems"]] == messages
    assert [entry["name"] for entry in document["repositories"]] == ["omero1"]
    figures = config.metrics.read_text()
    assert f"backup_problems {float(len(messages))}\n" in figures
    assert f"backup_inspect_timestamp_seconds {NOW}\n" in figures
    assert 'backup_timer_active{timer="backup-check.timer"} 1.0\n' in figures
    assert inspection.run(config) == []


def test_what_is_new_is_remembered_and_what_others_wrote_meanwhile_stays(config, around):
    seen = observe.observe(config, NOW)
    state.note(config.state, "omero1", "retain", {"time": 5, "ok": True, "message": ""})
    report(replace(seen, with_base=frozenset({"images"})), [])
    remembered = state.read(config.state / state.STATE_FILE)
    assert remembered["repositories"]["omero1"] == {"since": NOW, "retain": {"time": 5, "ok": True, "message": ""}}
    assert remembered["based"] == ["images"]
    later = observe.observe(config, NOW + DAY)
    assert (later.born, later.with_base) == (NOW, {"images"})


def test_no_figures_are_written_when_the_report_can_not_be(config, around):
    seen = observe.observe(config, NOW)
    (config.state / state.REPORT_FILE).mkdir()
    with pytest.raises(state.StateError):
        report(seen, [])
    assert not config.metrics.exists()


@pytest.mark.parametrize(
    ("looked", "begins", "fault", "found"),
    [
        (0, None, "", []),
        (NOW + 900, NOW, "", []),
        (float(int(NOW)), NOW, "", []),
        (NOW - 900, NOW, "", [("unreadable", "")]),
        (NOW, None, "no journal", [("unreadable", "")]),
    ],
)
def test_a_journal_that_no_longer_reaches_back_to_the_last_look_is_a_problem(config, looked, begins, fault, found):
    bare = replace(config, repositories=(), stanzas=(), host_drills=(), weekly_drill_days=0)
    assert kinds(judge(Seen(bare, NOW, looked=looked, journal_begins=begins, journal_fault=fault))) == found


def test_a_disk_that_is_nearly_full_and_a_timer_that_does_not_wait_are_problems(config):
    bare = replace(config, repositories=(), stanzas=(), host_drills=(), weekly_drill_days=0)
    seen = Seen(bare, NOW, timers={"a.timer": True, "b.timer": False}, disk=Disk(free=1, size=100))
    assert kinds(judge(seen)) == [("disk", ""), ("timer", "b.timer")]
    assert "systemctl enable --now b.timer" in judge(seen)[0].message
    assert judge(replace(seen, timers={}, disk=Disk(free=50, size=100))) == []


def test_results_of_one_drill_that_can_not_be_read_keep_no_other_from_being_judged(config, around):
    (config.state / state.WEEKLY_FILE).write_text("[]")
    (config.state / state.HOST_DRILL_FILE).write_text(
        json.dumps({"omero": {"begun": NOW - 60, "result": {"time": NOW, "ok": False, "message": "2 are missing"}}})
    )
    seen = observe.observe(config, NOW)
    assert len(seen.drills.faults) == 1
    found = [problem for problem in judge(seen) if problem.kind == "host_drill"]
    assert "2 are missing" in found[0].message


def test_a_drill_that_never_was_is_a_problem_once_it_had_its_time(config):
    known = {"omero1": {"since": NOW - 30 * DAY}}
    bare = replace(config, repositories=(), stanzas=())
    assert ("weekly_drill", "") in kinds(judge(Seen(bare, NOW, known=known, drills=SeenDrills())))
    assert kinds(judge(Seen(bare, NOW, known={"omero1": {"since": NOW}}))) == []
