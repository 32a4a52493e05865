# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's way onto a PC: whole or not at all, closed to users, and told apart when something is wrong."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from facility.device_pc.agent import agent
from facility.device_pc.agent.health import blind, problems
from facility.device_pc.agent.options import AGENT, wish
from facility.device_pc.agent.pc import ask, converge, planned
from facility.device_pc.command import MAXIMUM_LENGTH
from facility.device_pc.trouble import WinrmError
from tests.fake_device_pc import FakePc, is_question

CODE = "s3cret-c0de"


@pytest.fixture
def programs(tmp_path):
    (tmp_path / "ppms-agent.vbs").write_text("WScript.Echo 1\n" * 1500)
    (tmp_path / "ppms-agent.js").write_text("WScript.Echo(1);\n" * 1500)
    return tmp_path


def wanted(programs, **more):
    params = {name: spec.get("default") for name, spec in AGENT.items()}
    params |= {"host": "mic1.example.org", "tracker_url": "https://ppms.example.org/rt.asp"}
    return wish(params | {"system_id": 12, "tracker_code": CODE} | more, programs)


def run(pc, wish_, *, check=False):
    return converge(pc, wish_, check_mode=check)


def deployed(programs, **more):
    pc = FakePc()
    run(pc, wanted(programs, **more))
    # Sixty seconds later it has run.
    now = datetime.now(UTC)
    state = f"version=1.0\r\nlast_run={now:%Y-%m-%dT%H:%M:%SZ}\r\nlast_result=sent\r\nunsent_minutes=0\r\n"
    pc.files["state.ini"] = state.encode()
    pc.commands.clear()
    return pc


def found(pc, wish_, clock=0.0):
    got, target, steps = planned(ask(pc), wish_, "mic1")
    return problems(got, target, steps, clock, datetime.now(UTC))


def test_a_new_pc_gets_the_agent_its_settings_the_code_and_the_task(programs):
    pc = FakePc()
    result = run(pc, wanted(programs, domains=["IMAGING"], proxy="direct"))
    assert result["changed"]
    assert result["engine"] == "vbscript"
    assert pc.files["ppms-agent.vbs"] == (programs / "ppms-agent.vbs").read_bytes().replace(b"\n", b"\r\n")
    settings = pc.files["ppms-agent.ini"].decode()
    assert "tracker_url=https://ppms.example.org/rt.asp\r\n" in settings
    assert "domains=IMAGING\r\n" in settings
    assert CODE not in settings
    assert pc.files["tracker.code"].decode() == f"{CODE}\r\n"
    assert "S-1-5-19" in pc.task
    assert "PT1M" in pc.task
    assert sorted(pc.files) == ["ppms-agent.ini", "ppms-agent.vbs", "tracker.code"], "nothing is left of the way there"


def test_a_second_run_changes_nothing_and_asks_one_question(programs):
    pc = deployed(programs)
    result = run(pc, wanted(programs))
    assert not result["changed"]
    assert result["state"]["last_result"] == "sent"
    assert [is_question(command) for command in pc.commands] == [True]


def test_a_look_ahead_tells_what_a_run_does_and_touches_nothing(programs):
    pc = FakePc()
    looked = run(pc, wanted(programs), check=True)
    assert [is_question(command) for command in pc.commands] == [True]
    assert not pc.files
    done = run(pc, wanted(programs))
    assert looked["diff"] == done["diff"]


def test_every_command_fits_into_a_line_of_cmd_and_none_shows_the_code(programs):
    pc = FakePc()
    run(pc, wanted(programs))
    assert max(map(len, pc.commands)) <= MAXIMUM_LENGTH
    assert not [command for command in pc.commands if CODE in command]


def test_no_result_shows_the_code(programs):
    pc = FakePc()
    first = run(pc, wanted(programs))
    pc.files["tracker.code"] = b"another\r\n"
    second = run(pc, wanted(programs))
    assert second["changed"]
    for result in (first, second):
        assert CODE not in str(result)
        assert "another" not in str(result)
    # A checksum of so short a text could be tried out.
    assert not re.search(r"tracker\.code:\n\s+sha256", str(second["diff"]))


def test_users_of_the_pc_have_no_access(programs):
    pc = deployed(programs)
    for name in ("folder", "ppms-agent.vbs", "ppms-agent.ini", "tracker.code"):
        assert pc.access[name].startswith("D:PAI")
        assert not re.search(r";;;(BU|AU|WD|IU)\)", pc.access[name])
    # What runs as LOCAL SERVICE can't change itself.
    assert "0x1301bf" not in pc.access["ppms-agent.vbs"]


@pytest.mark.parametrize("cut", range(1, 14))
def test_a_deployment_cut_off_anywhere_leaves_the_old_agent_whole_and_the_next_run_mends_it(programs, cut):
    pc = deployed(programs)
    before = {name: pc.files[name] for name in ("ppms-agent.vbs", "ppms-agent.ini", "tracker.code")}
    (programs / "ppms-agent.vbs").write_text("WScript.Echo 2\n" * 1500)
    new = wanted(programs, system_id=13, tracker_code="new-c0de", journal_days=7)
    pc.broken_after = cut
    try:
        run(pc, new)
        after_all = True
    except WinrmError:
        after_all = False
    now = {name: pc.files[name] for name in before}
    # One command puts all three in place, so it is the old agent or the new one, never a mixture.
    assert now == before or not any(now[name] == before[name] for name in before)
    assert pc.task is not None
    pc.broken_after = None
    assert run(pc, new)["changed"] or after_all or now != before
    assert not run(pc, new)["changed"]


def test_a_full_disk_is_told_and_the_old_agent_stays(programs):
    pc = deployed(programs)
    before = pc.files["ppms-agent.vbs"]
    (programs / "ppms-agent.vbs").write_text("WScript.Echo 2\n")
    pc.full = True
    with pytest.raises(WinrmError, match="disk full"):
        run(pc, wanted(programs))
    assert pc.files["ppms-agent.vbs"] == before
    assert not [name for name in pc.files if name.endswith((".new", ".b64"))]


def test_without_vbscript_the_twin_takes_over(programs):
    pc = deployed(programs)
    pc.engines["vbscript"] = False
    assert any("vbscript is off or was removed" in line for line in found(pc, wanted(programs)))
    result = run(pc, wanted(programs))
    assert result["engine"] == "jscript"
    assert "ppms-agent.vbs" not in pc.files
    assert "//E:JScript" in pc.task
    assert not run(pc, wanted(programs))["changed"]


def test_an_engine_that_is_insisted_on_and_gone_is_refused_before_anything_happens(programs):
    pc = FakePc(vbscript=False)
    with pytest.raises(agent.AgentError, match="engine: auto"):
        run(pc, wanted(programs, engine="vbscript"))
    assert [is_question(command) for command in pc.commands] == [True]
    with pytest.raises(agent.AgentError, match="neither"):
        run(FakePc(vbscript=False, jscript=False), wanted(programs))


def test_an_agent_that_is_not_wanted_goes_and_its_journal_stays(programs):
    pc = deployed(programs)
    pc.files["journal\\2026-11-23.csv"] = b"time_utc"
    assert run(pc, wanted(programs, state="absent"))["changed"]
    assert list(pc.files) == ["journal\\2026-11-23.csv"]
    assert pc.task is None
    assert not run(pc, wanted(programs, state="absent"))["changed"]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda pc: pc.files.update({"ppms-agent.vbs": b"my own"}), "ppms-agent.vbs isn't the facility's"),
        (lambda pc: pc.files.update({"tracker.code": b"other"}), "the tracker code isn't the vault's"),
        (lambda pc: pc.files.update({"ppms-agent.ini": b"system_id=1\r\n"}), "isn't as the inventory says"),
        (lambda pc: setattr(pc, "task", None), "isn't there, so nothing is reported"),
        (
            lambda pc: setattr(pc, "task", pc.task.replace("<Enabled>true</Enabled>", "<Enabled>false</Enabled>")),
            "was switched off by hand",
        ),
        (lambda pc: setattr(pc, "task", pc.task.replace("PT1M", "PT9M")), "isn't as it was made"),
        (lambda pc: pc.access.update({"tracker.code": "D:PAI(A;;FA;;;BU)"}), "others than the facility may read"),
        (lambda pc: pc.access.update({"folder": pc.access["folder"].replace("PAI", "AI")}), "others than the facility"),
        (lambda pc: pc.files.pop("state.ini"), "has never run"),
        (lambda pc: pc.files.update({"state.ini": b"last_run=2026-01-01T00:00:00Z\r\n"}), "last ran at 2026-01-01"),
        (lambda pc: state(pc, last_result="unsent", last_detail="dns"), "doesn't find the tracker's name"),
        (lambda pc: state(pc, last_result="unsent", last_detail="tls"), "certificate isn't trusted"),
        (lambda pc: state(pc, last_result="refused", last_detail="error: x"), "system id and tracker code"),
        (
            lambda pc: state(pc, last_result="unsure", last_detail="http 200: <html>"),
            "add that text to tracker_answers",
        ),
        (lambda pc: state(pc, last_result="elsewhere", last_detail="1 sessions"), "Remote Desktop"),
        (lambda pc: state(pc, unsure_minutes="3"), "3 minutes were sent, and PPMS's answer does not say"),
        (lambda pc: state(pc, last_result="unsent", last_detail="http 500: Error 500"), "out of order"),
        (lambda pc: state(pc, config_error="catch_up"), "refuses its settings (catch_up)"),
        (lambda pc: state(pc, unsent_minutes="12"), "12 minutes could not be sent"),
        (lambda pc: state(pc, journal_error="journal can't be written: 46"), "is the PC's disk full?"),
    ],
)
def test_each_trouble_is_told_apart_with_its_cure(programs, spoil, told):
    pc = deployed(programs)
    assert found(pc, wanted(programs)) == []
    spoil(pc)
    lines = found(pc, wanted(programs))
    assert [line for line in lines if told in line], lines
    assert all(":" in line or ";" in line for line in lines)


def state(pc, **more):
    now = datetime.now(UTC)
    pairs = {"last_run": f"{now:%Y-%m-%dT%H:%M:%SZ}", "last_result": "sent", **more}
    pc.files["state.ini"] = "".join(f"{key}={value}\r\n" for key, value in pairs.items()).encode()


def test_local_service_is_blind_only_where_an_administrator_sees_somebody(programs):
    assert "LOCAL SERVICE" in blind({"console": r"IMAGING\aadler"}, {"last_result": "nobody"})[0]
    assert blind({"console": r"IMAGING\aadler"}, {"last_result": "elsewhere"})
    assert blind({"console": r"IMAGING\aadler"}, {"last_result": "sent"}) == []
    assert blind({"console": ""}, {"last_result": "nobody"}) == []


def test_what_was_changed_by_hand_is_changed_back(programs):
    pc = deployed(programs)
    pc.task = pc.task.replace("<Enabled>true</Enabled>", "<Enabled>false</Enabled>")
    pc.access["tracker.code"] = "D:PAI(A;;FA;;;BU)"
    pc.files["ppms-agent.ini"] += b"proxy=evil:8080\r\n"
    result = run(pc, wanted(programs))
    assert "evil" in result["diff"]["before"]
    assert found(pc, wanted(programs)) == []


def test_a_clock_that_is_off_is_told(programs):
    pc = deployed(programs)
    assert "61 s ahead" in found(pc, wanted(programs), clock=61)[0]
    assert "behind" in found(pc, wanted(programs), clock=-timedelta(hours=1).total_seconds())[0]


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ({"tracker_code": None}, "tracker_code missing"),
        ({"tracker_code": "with blank"}, "is no code"),
        ({"tracker_url": "http://ppms.example.org/rt.asp"}, "no https address"),
        ({"tracker_url": "https://ppms.example.org/rt.asp?i=1"}, "no https address"),
        ({"system_id": 0}, "is no instrument"),
        ({"interval_minutes": 0}, "use 1 to 60"),
        ({"domains": ["IMA GING"]}, "is no name"),
        ({"ignored_logins": ["a,b"]}, "is no name"),
        ({"tracker_answers": []}, "tracker_answers"),
        ({"tracker_answers": ["a,b"]}, "tracker_answers"),
        ({"tracker_answers": [" OK"]}, "tracker_answers"),
        ({"proxy": "http://proxy:3128"}, "write direct, or host:port"),
    ],
)
def test_what_the_agent_would_refuse_is_refused_before_any_pc_is_asked(programs, option, told):
    with pytest.raises(agent.AgentError, match=told):
        wanted(programs, **option)


def test_programs_that_are_not_there_are_told(tmp_path):
    with pytest.raises(agent.AgentError, match="set programs to its folder"):
        run(FakePc(), wanted(tmp_path))


def test_an_answer_that_broke_off_is_not_taken_for_a_pc_without_an_agent(programs):
    with pytest.raises(agent.AgentError, match="broke off"):
        agent.observed("@settings\r\nsystem_id=12\r\n@file ppms-agent.vbs\r\n")
