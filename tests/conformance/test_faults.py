# SPDX-License-Identifier: GPL-3.0-or-later
"""Broken configuration, full disks, torn files, two runs at once; and what an administrator can ask."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from tests.conformance.pc import AADLER, CODE, FOLDER, START, Agent
from tests.conformance.tracker import Answer, Tracker

OK, CONFIG, JOURNAL, BUSY = 0, 2, 3, 4
NEXT = START + dt.timedelta(minutes=1)
HEADER = "time_utc,login,minutes,result,detail\r\n"


def write_journal(agent: Agent, name: str, text: str) -> None:
    (agent.folder / "journal").mkdir(exist_ok=True)
    (agent.folder / "journal" / name).write_text(text, newline="")


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("tracker_url", "http://ppms.example.org/rt.asp", "tracker_url: not valid: http://ppms.example.org/rt.asp"),
        ("tracker_url", "", "tracker_url: missing"),
        ("tracker_url", "https://ppms.example.org/rt.asp?i=1", "tracker_url: not valid"),
        ("system_id", "zwölf", "system_id: not valid"),
        ("interval_minutes", "0", "interval_minutes: not valid: 0"),
        ("login_rule", "upn", "login_rule: not valid: upn"),
        ("login_rule", "With_Domain", "login_rule: not valid: With_Domain"),
        ("catch_up", "always", "catch_up: not valid: always"),
        ("proxy", "proxy.example.org", "proxy: not valid: proxy.example.org"),
    ],
)
def test_a_bad_value_is_told_with_its_key_and_nothing_is_sent(
    agent: Agent, tracker: Tracker, key: str, value: str, problem: str
) -> None:
    agent.configure(**{key: value})
    assert agent.minute() == CONFIG
    assert agent.state["config_error"].startswith(problem)
    assert agent.check()["config"].startswith(problem)
    assert tracker.requests == []
    assert agent.journal == []


def test_an_unknown_key_is_told_and_harmless(agent: Agent) -> None:
    agent.configure(colour="blue")
    assert agent.minute() == OK
    assert agent.results == ["sent"]
    assert agent.state["config_warning"] == "unknown keys: colour"
    assert agent.check()["warning"] == "unknown keys: colour"


@pytest.mark.parametrize("content", [None, "", " \r\n"], ids=["missing", "empty", "blank"])
def test_without_tracker_code_nothing_is_sent(agent: Agent, tracker: Tracker, content: str | None) -> None:
    code = agent.folder / "tracker.code"
    code.unlink() if content is None else code.write_text(content)
    assert agent.minute() == CONFIG
    assert agent.state["config_error"] == "tracker.code: missing or empty"
    assert tracker.requests == []


def test_without_configuration_nothing_is_sent(agent: Agent, tracker: Tracker) -> None:
    (agent.folder / "ppms-agent.ini").unlink()
    assert agent.minute() == CONFIG
    assert agent.state["config_error"] == "ppms-agent.ini: missing or empty"
    assert tracker.requests == []


def test_when_the_configuration_is_mended_the_lost_minutes_are_known(agent: Agent) -> None:
    agent.minute()
    agent.configure(system_id="?")
    agent.minute(start=NEXT)
    agent.configure(system_id="42")
    agent.minute(start=NEXT + dt.timedelta(minutes=1))
    assert agent.results == ["sent", "missed", "sent"]
    assert agent.state["config_error"] == ""


def test_on_a_full_disk_the_person_is_still_counted_and_the_fault_told(agent: Agent, tracker: Tracker) -> None:
    agent.minute()
    # A disk of its own for the folder, with nothing left on it.
    agent.host.shell(
        f"cp -a {FOLDER} /tmp/copy && mount -t tmpfs -o size=128k tmpfs {FOLDER} && cp -a /tmp/copy/. {FOLDER}/ && "
        f"rm -r /tmp/copy && dd if=/dev/zero of={FOLDER}/images.tif bs=1k count=1000 2>/dev/null || true"
    )
    assert agent.minute(start=NEXT) in {OK, JOURNAL}  # the last bytes of a block may still take a line
    whole = "time_utc" + "x" * 5000
    agent.host.shell(f"truncate -s 0 {FOLDER}/images.tif; printf %s {whole} >{FOLDER}/journal/2026-03-01.csv")
    agent.host.shell(f"dd if=/dev/zero of={FOLDER}/images.tif bs=1k count=1000 2>/dev/null || true")
    assert agent.minute(start=START + dt.timedelta(days=1)) == JOURNAL
    assert len(tracker.requests) == 3


def test_after_a_full_disk_the_journal_goes_on_and_the_gap_is_known(agent: Agent, tracker: Tracker) -> None:
    agent.minute()
    agent.host.shell(f"mount -t tmpfs -o size=4k tmpfs {FOLDER}/journal; echo full >{FOLDER}/journal/full")
    assert agent.minute(start=NEXT) == JOURNAL
    assert agent.state["journal_error"].startswith("journal can't be written")
    agent.host.shell(f"umount {FOLDER}/journal")
    assert agent.minute(start=NEXT + dt.timedelta(minutes=1)) == OK
    assert agent.state["journal_error"] == ""
    assert [request.query["f"] for request in tracker.requests] == ["1"] * 3


def test_in_a_read_only_folder_the_person_is_still_counted(agent: Agent, tracker: Tracker) -> None:
    agent.host.shell(f"mount --bind {FOLDER} {FOLDER} && mount -o remount,ro,bind {FOLDER}")
    assert agent.minutes(AADLER, AADLER) == [JOURNAL, JOURNAL]
    assert len(tracker.requests) == 2


def test_what_is_due_is_not_sent_where_that_cannot_be_written_down(agent: Agent, tracker: Tracker) -> None:
    agent.configure(catch_up="send")
    tracker.answers = [Answer(404), Answer(404)]
    agent.minutes(AADLER, AADLER)
    agent.host.shell(f"mount --bind {FOLDER} {FOLDER} && mount -o remount,ro,bind {FOLDER}")
    agent.minutes(AADLER, AADLER, start=START + dt.timedelta(minutes=2))
    assert [request.query["f"] for request in tracker.requests] == ["1", "2", "1", "1"]


def test_a_second_run_leaves_the_first_alone(agent: Agent, tracker: Tracker) -> None:
    tracker.answers = [Answer(delay=4)]
    with agent.running(START) as first:
        wait_for_request(tracker)
        assert agent.minute(start=NEXT) == BUSY
    assert first.communicate()[0] == "code 0\n"
    assert len(tracker.requests) == 1
    assert agent.results == ["sent"]


def test_a_run_that_was_killed_is_in_nobodys_way(agent: Agent, tracker: Tracker) -> None:
    tracker.answers = [Answer(delay=4)]
    with agent.running(START):
        wait_for_request(tracker)
        agent.kill()
    assert (agent.folder / "agent.lock").exists()
    assert agent.minute(start=NEXT) == OK
    assert agent.results == ["sent"]


def test_a_killed_run_never_sends_late_minutes_twice(agent: Agent, tracker: Tracker) -> None:
    agent.configure(catch_up="send")
    tracker.answers = [Answer(404), Answer(delay=4)]
    agent.minute()
    with agent.running(NEXT):
        wait_for_request(tracker, 2)
        agent.kill()
    agent.minute(start=NEXT + dt.timedelta(minutes=1))
    assert [request.query["f"] for request in tracker.requests] == ["1", "2", "1"]


def wait_for_request(tracker: Tracker, number: int = 1) -> None:
    ends = time.monotonic() + 20
    while len(tracker.requests) < number:
        assert time.monotonic() < ends, "the run never asked the tracker"
        time.sleep(0.05)


def test_a_journal_line_cut_by_a_power_failure_spoils_no_other(agent: Agent) -> None:
    agent.minute()
    (path,) = agent.journal_files
    path.write_bytes(path.read_bytes()[:-9])
    agent.minutes(AADLER, AADLER, start=NEXT)
    text = path.read_text()
    assert text.count("\n") == 4
    assert [line.result for line in agent.journal][-2:] == ["sent", "sent"]
    assert agent.state["missed_minutes"] == "0"


def test_a_lost_state_is_rebuilt_from_the_journal(agent: Agent, tracker: Tracker) -> None:
    tracker.answers = [Answer(500), Answer(200, "error"), Answer(), Answer()]
    agent.minutes(AADLER, AADLER, AADLER)
    before = agent.state
    (agent.folder / "state.ini").unlink()
    agent.minute(start=START + dt.timedelta(minutes=3))
    after = agent.state
    for key in ("unsent_minutes", "refused_minutes", "missed_minutes", "session_start", "session_login"):
        assert after[key] == before[key], key
    assert agent.results == ["unsent", "refused", "sent", "sent"]


def test_a_torn_state_is_rebuilt_over_several_days(agent: Agent) -> None:
    write_journal(agent, "2026-02-28.csv", HEADER + "2026-02-28T08:00:30Z,aadler,1,unsent,dns\r\n" * 3)
    write_journal(
        agent,
        "2026-03-02.csv",
        HEADER + "2026-03-02T09:58:30Z,,7,missed,\r\n2026-03-02T09:58:30Z,aadler,2,caught_up,http 200\r\n"
        "2026-03-02T09:59:30Z,aadler,1,sent,http 200\r\n2026-03-02T09:5",
    )
    (agent.folder / "state.ini").write_text("version=1.0\r\nunsent_minutes=77\r\n", newline="")
    agent.minute()
    state = agent.state
    assert (state["unsent_minutes"], state["missed_minutes"]) == ("1", "7")
    assert state["session_start"] == "2026-03-02T09:58:30Z"
    assert agent.results[-1] == "sent"


def test_a_state_that_was_written_but_not_put_in_place_counts(agent: Agent) -> None:
    agent.minutes(AADLER, AADLER)
    new = agent.folder / "state.new"
    (agent.folder / "state.ini").rename(new)
    new.write_text(new.read_text().replace("refused_minutes=0", "refused_minutes=5"), newline="\r\n")
    agent.minute(start=START + dt.timedelta(minutes=2))
    assert agent.state["refused_minutes"] == "5"
    assert not new.exists()


def test_a_line_that_the_state_missed_is_accounted_for(agent: Agent) -> None:
    agent.minute()
    old = (agent.folder / "state.ini").read_bytes()
    agent.minute(start=NEXT)
    (agent.folder / "state.ini").write_bytes(old)
    agent.minute(start=NEXT + dt.timedelta(minutes=1))
    assert agent.results == ["sent"] * 3
    assert agent.state["missed_minutes"] == "0"


def test_the_version_is_one_line(agent: Agent, tracker: Tracker) -> None:
    words = agent.says("/version").split(" ")
    assert (words[0], words[2]) == ("ppms-agent", agent.engine)
    assert words[1] == agent.check()["version"]


def test_a_check_tells_how_things_stand_and_changes_nothing(agent: Agent, tracker: Tracker) -> None:
    before = sorted(path.name for path in agent.folder.iterdir())
    told = agent.check()
    told.pop("version")
    assert told == {
        "engine": agent.engine, "config": "ok", "tracker": "reachable", "console": AADLER,
        "sessions": "1", "user": "aadler",
    }  # fmt: skip
    (request,) = tracker.requests
    assert (request.method, request.raw_query, request.body) == ("GET", "", "")
    assert CODE not in str(request)
    assert sorted(path.name for path in agent.folder.iterdir()) == before


def test_a_check_tells_who_would_not_be_sent_and_why(agent: Agent) -> None:
    agent.configure(domains="IMAGING", ignored_logins="kiosk")
    assert agent.check("IMAGING\\kiosk")["user"] == "ignored: login is ignored"
    assert agent.check("MIC1\\root")["user"] == "ignored: domain is not counted: MIC1"
    nobody = agent.check("")
    assert (nobody["console"], nobody["user"]) == ("", "nobody")
    assert agent.check(None)["user"].startswith("unknown: wmi")


@pytest.mark.parametrize(("status", "told"), [(403, "reachable"), (302, "reachable"), (500, "http 500")])
def test_a_check_calls_a_tracker_reachable_that_answers(agent: Agent, tracker: Tracker, status: int, told: str) -> None:
    tracker.answers = [Answer(status)]
    assert agent.check()["tracker"] == told
