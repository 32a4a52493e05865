# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in's certutil, icacls and schtasks refuse what Microsoft's refuse."""

import base64
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.standins.device_pc.device_pc_standin import (
    acl,
    certutil,
    cmd_line,
    drive,
    find_lines,
    schtasks,
    task_times,
    task_xml,
    tasks,
)
from testbed.standins.device_pc.device_pc_standin.answers import Call, split

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = (
    "<TimeTrigger><Repetition><Interval>PT1M</Interval></Repetition><StartBoundary>2026-01-01T00:00:00</StartBoundary>"
    "</TimeTrigger>"
)


def definition(
    triggers=MINUTE, principal='<Principal id="A"><UserId>S-1-5-19</UserId></Principal>', settings="", context="A"
):
    return (
        f'<?xml version="1.0" encoding="UTF-16"?>\n<Task version="1.2" xmlns="{task_xml.SPACE}">'
        f"<Triggers>{triggers}</Triggers><Principals>{principal}</Principals><Settings>{settings}</Settings>"
        f'<Actions Context="{context}"><Exec><Command>wscript.exe</Command><Arguments>//B "a b.vbs"</Arguments></Exec>'
        "</Actions></Task>"
    )


def read(**parts):
    return task_xml.read(task_xml.parse(definition(**parts)))


class Program:
    def wait(self, timeout=None):
        return 0

    def kill(self):
        pass


@pytest.fixture
def pc(tmp_path, monkeypatch):
    """A drive C: and a scheduler whose programs end at once."""
    (tmp_path / "c").mkdir()
    monkeypatch.setattr(drive, "DRIVE_C", tmp_path / "c")
    monkeypatch.setattr(certutil, "is_windows_7", lambda: False)
    return tasks.Scheduler(tmp_path / "tasks", launch=lambda task: Program())


def call(*arguments):
    return Call("C:\\", list(arguments))


def schtasks_run(pc, *arguments):
    return schtasks.run(call(*arguments), pc)


def put(name, data):
    path = drive.unix_path(name)
    path.write_bytes(data)
    return path


# certutil


def test_certutil_decodes_what_was_echoed_in_pieces(pc):
    data = bytes(range(256)) * 30
    text = base64.b64encode(data).decode()
    put("f.b64", "".join(f"{text[at : at + 1000]}\r\n" for at in range(0, len(text), 1000)).encode())
    assert certutil.run(call("-f", "-decode", "f.b64", "F.BIN")).code == 0
    assert drive.unix_path("f.bin").read_bytes() == data


@given(st.binary(min_size=1, max_size=500))
def test_certutil_reads_what_it_wrote(data):
    assert certutil.decoded(certutil.encoded(data)) == data


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("-decode", "nix", "t"), 0x80070002),
        (("-decode", "bad", "t"), 0x8007000D),
        (("-decode", "good", "there"), 0x80070050),
        (("-decode", "good", "C:\\nix\\t"), 0x80070003),
        (("-decode", "good"), 0x80070057),
        (("-hashfile", "good", "SHA3"), 0x80070057),
        (("-foo",), 0x80070057),
    ],
)
def test_certutil_fails_with_windows_codes(pc, arguments, code):
    put("good", b"YWJj")
    put("bad", b"!!")
    put("there", b"old")
    answer = certutil.run(call(*arguments))
    assert answer.code == code
    assert drive.unix_path("there").read_bytes() == b"old"


def test_windows_7_prints_hashes_with_blanks(pc, monkeypatch):
    put("f", b"abc")
    plain = certutil.run(call("-hashfile", "f", "SHA256")).out.splitlines()[1]
    monkeypatch.setattr(certutil, "is_windows_7", lambda: True)
    spaced = certutil.run(call("-hashfile", "f", "SHA256")).out.splitlines()[1]
    assert spaced[:6] == "ba 78 "
    assert spaced.replace(" ", "") == plain


# icacls


def test_rights_are_read_and_shown_as_icacls_writes_them():
    entry = acl.entry("*S-1-5-19:(OI)(CI)M")
    assert (entry.sid, entry.mask, entry.flags) == ("S-1-5-19", acl.MODIFY, ("OI", "CI"))
    assert acl.shown(entry) == "NT-AUTORITÄT\\LOKALER DIENST:(OI)(CI)(M)"
    assert acl.entry("Benutzer:(RX)").sid == "S-1-5-32-545"
    with pytest.raises(acl.UnknownAccountError):
        acl.entry("LOCAL SERVICE:F")
    for wrong in ("*S-1-5-19", "*S-1-5-19:(OI)", "*S-1-5-19:Z"):
        with pytest.raises(acl.AclError):
            acl.entry(wrong)


def test_a_file_only_local_service_may_read_is_closed_to_people():
    folder = acl.Acl((acl.entry("*S-1-5-32-545:(OI)(CI)RX"),), protected=True)
    entries = acl.effective(acl.Acl(), acl.effective(folder, (), is_folder=True), is_folder=False)
    assert acl.rights(entries, acl.PERSON) == "r-x"
    closed = acl.Acl((acl.entry("*S-1-5-19:R"),), protected=True)
    entries = acl.effective(closed, entries, is_folder=False)
    assert (acl.rights(entries, acl.PERSON), acl.rights(entries, acl.LOCAL_SERVICE)) == ("---", "r--")


def test_what_icacls_saves_it_restores():
    own = acl.Acl((acl.entry("*S-1-5-19:(OI)(CI)M"), acl.entry("*S-1-1-0:W", deny=True)), protected=True)
    text = acl.sddl(own, own.entries)
    assert text == "D:PAI(A;OICI;0x1301bf;;;LS)(D;;0x100116;;;WD)"
    assert acl.from_sddl(text) == own
    with pytest.raises(acl.AclError):
        acl.from_sddl("D:PAI(nonsense)")


# schtasks


def test_a_task_is_kept_with_its_path_and_queried_back(pc):
    put("t.xml", definition().encode("utf-16"))
    assert schtasks_run(pc, "/create", "/tn", "\\PPMS\\Agent", "/xml", "C:\\t.xml", "/f").code == 0
    answer = schtasks_run(pc, "/query", "/tn", "ppms\\agent", "/xml")
    assert answer.code == 0
    root = task_xml.parse(answer.out)
    assert root.findtext(f".//{{{task_xml.SPACE}}}URI") == "\\PPMS\\Agent"
    assert task_xml.read(root) == task_xml.read(task_xml.parse(definition()))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-8-sig"])
def test_a_definition_must_be_utf16_with_its_mark(pc, encoding):
    put("t.xml", definition().encode(encoding))
    assert schtasks_run(pc, "/create", "/tn", "x", "/xml", "t.xml").code == 1
    assert pc.names() == []


@pytest.mark.parametrize(
    "parts",
    [
        {"triggers": MINUTE.replace("PT1M", "PT10S")},
        {"triggers": MINUTE.replace("2026-01-01T00:00:00", "soon")},
        {"triggers": "<NoTrigger/>"},
        {"triggers": MINUTE.replace("<Repetition>", "<Repetition><Every/>")},
        {"principal": '<Principal id="A"><UserId>S-1-5-19</UserId><GroupId>S-1-5-32-545</GroupId></Principal>'},
        {"principal": '<Principal id="A"><UserId>S-1-5-19</UserId><LogonType>ServiceAccount</LogonType></Principal>'},
        {"context": "B"},
        {"settings": "<ExecutionTimeLimit>2 minutes</ExecutionTimeLimit>"},
        {"settings": "<MultipleInstancesPolicy>Ignore</MultipleInstancesPolicy>"},
        {"settings": "<Enabled>yes</Enabled>"},
    ],
)
def test_nonsense_is_refused(parts):
    with pytest.raises(task_xml.TaskError):
        read(**parts)


def test_a_german_windows_knows_no_english_account(pc):
    with pytest.raises(task_xml.UnknownAccountError):
        read(principal='<Principal id="A"><UserId>LOCAL SERVICE</UserId></Principal>')
    assert read(principal='<Principal id="A"><UserId>Lokaler Dienst</UserId></Principal>').principal == "S-1-5-19"


def test_a_missing_task_is_exit_code_1_and_told_on_standard_error(pc):
    for verb in ("/query", "/run", "/end", "/delete"):
        answer = schtasks_run(pc, verb, "/tn", "nix", *(["/f"] if verb == "/delete" else []))
        assert (answer.code, answer.out) == (1, "")
        assert "nicht finden" in answer.err


def test_a_disabled_task_does_not_run(pc):
    pc.register("x", definition())
    assert schtasks_run(pc, "/change", "/tn", "x", "/disable").code == 0
    assert schtasks_run(pc, "/run", "/tn", "x").code == 1
    assert schtasks_run(pc, "/change", "/tn", "x", "/enable").code == 0
    assert schtasks_run(pc, "/run", "/tn", "x").code == 0
    assert pc.state("x").runs == 1


def test_a_task_that_still_runs_is_not_started_again(tmp_path):
    started = []

    class Endless(Program):
        def __init__(self):
            self.over = threading.Event()

        def wait(self, timeout=None):
            self.over.wait(10)
            return 1

        def kill(self):
            self.over.set()

    def launch(task):
        started.append(Endless())
        return started[-1]

    scheduler = tasks.Scheduler(tmp_path / "tasks", launch=launch)
    scheduler.register("x", definition())
    scheduler.run("x")
    scheduler.run("x")
    assert len(started) == 1
    assert scheduler.state("x").last_result == tasks.RUNNING
    scheduler.end("x")


def test_the_scheduler_never_finds_half_a_definition(tmp_path, monkeypatch):
    scheduler = tasks.Scheduler(tmp_path / "tasks", launch=lambda task: Program())
    scheduler.register("x", definition())
    before, seen = scheduler.definition("x"), []
    write = Path.write_text

    def slow(path, text, **options):
        with path.open("w"):
            seen.append(scheduler.definition("x"))
        return write(path, text, **options)

    monkeypatch.setattr(Path, "write_text", slow)
    scheduler.register("x", definition(settings="<ExecutionTimeLimit>PT2M</ExecutionTimeLimit>"))
    scheduler.enable("x", enabled=False)
    assert seen[0] == before
    assert len(seen) >= 2 and all(seen)


def test_a_run_that_takes_too_long_is_ended_and_told(tmp_path):
    class Slow:
        def wait(self, timeout=None):
            if timeout is not None:
                assert timeout == 120
                raise subprocess.TimeoutExpired("slow", timeout)
            return 1

        def kill(self):
            ended.set()

    ended = threading.Event()
    scheduler = tasks.Scheduler(tmp_path / "tasks", launch=lambda task: Slow())
    scheduler.register("x", definition(settings="<ExecutionTimeLimit>PT2M</ExecutionTimeLimit>"))
    scheduler.run("x")
    assert ended.wait(5)
    soon(lambda: scheduler.state("x").last_result == tasks.TERMINATED)


def soon(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_tasks_start_with_the_pc_and_with_whoever_logs_on(tmp_path, monkeypatch):
    person = [""]
    monkeypatch.setattr(tasks.wine, "console", lambda: person[0])
    folder = tmp_path / "tasks"
    before = tasks.Scheduler(folder, launch=lambda task: Program())
    time.sleep(0.01)
    before.register("boot", definition(triggers="<BootTrigger/>"))
    before.register("log-on", definition(triggers="<LogonTrigger/>"))
    time.sleep(0.01)
    before.look()
    assert before.state("boot").runs == 0
    after = tasks.Scheduler(folder, launch=lambda task: Program())
    for user, boots, log_ons in (("", 1, 0), ("IMAGING\\aadler", 1, 1), ("IMAGING\\aadler", 1, 1), ("", 1, 1)):
        person[0] = user
        time.sleep(0.01)
        after.look()
        assert (after.state("boot").runs, after.state("log-on").runs) == (boots, log_ons)


# when tasks are due


def moment(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(st.integers(0, 400 * 86400))
def test_a_minute_task_is_due_within_the_next_minute(seconds):
    trigger = read().triggers[0]
    after = moment("2026-01-02T00:00:00") + timedelta(seconds=seconds)
    found = task_times.next_start(trigger, after, BERLIN, [])
    assert after < found <= after + timedelta(minutes=1)
    assert found.second == 0


def test_a_boundary_is_the_pcs_local_time():
    trigger = read(triggers=MINUTE.replace("2026-01-01", "2026-07-01")).triggers[0]
    assert task_times.next_start(trigger, moment("2026-01-01T00:00:00"), BERLIN, []) == moment("2026-06-30T22:00:00")


def test_a_daily_task_keeps_its_hour_over_the_change_of_the_clock():
    daily = (
        "<CalendarTrigger><StartBoundary>2026-10-01T08:00:00</StartBoundary><ScheduleByDay><DaysInterval>1"
        "</DaysInterval></ScheduleByDay></CalendarTrigger>"
    )
    trigger = read(triggers=daily).triggers[0]
    assert task_times.next_start(trigger, moment("2026-10-24T12:00:00"), BERLIN, []) == moment("2026-10-25T07:00:00")
    assert task_times.next_start(trigger, moment("2026-10-23T12:00:00"), BERLIN, []) == moment("2026-10-24T06:00:00")


# command lines


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('schtasks /create /tn "\\a b\\c"', ["schtasks", "/create", "/tn", "\\a b\\c"]),
        ('x "a\\"b" c\\\\"d e"', ["x", 'a"b', "c\\d e"]),
        ("icacls C:\\x\\ /reset", ["icacls", "C:\\x\\", "/reset"]),
        ('x ""', ["x", ""]),
    ],
)
def test_command_lines_are_split_as_microsofts_runtime_splits_them(line, words):
    assert split(line) == words


# find and findstr


@pytest.mark.parametrize(
    ("tool", "arguments", "code", "printed"),
    [
        (find_lines.findstr, ("^",), 0, b"abc\r\nx=1\r\nABC d\r\n"),
        (find_lines.findstr, ("/b", "/i", "abc"), 0, b"abc\r\nABC d\r\n"),
        (find_lines.findstr, ("/v", "/r", "^[a-z]*=[0-9]"), 0, b"abc\r\nABC d\r\n"),
        (find_lines.findstr, ("/c:ABC d",), 0, b"ABC d\r\n"),
        (find_lines.findstr, ("/x", "/l", "x=."), 1, b""),
        (find_lines.find, ("/c", "/v", ""), 0, b"3\r\n"),
        (find_lines.find, ("/i", "abc"), 0, b"abc\r\nABC d\r\n"),
        (find_lines.find, ("nix",), 1, b""),
    ],
)
def test_lines_of_standard_input_are_found(tool, arguments, code, printed):
    answer = tool(Call("C:\\", list(arguments), lambda: b"abc\r\nx=1\nABC d\r\n"))
    assert (answer.code, answer.raw) == (code, printed)


# lines for cmd


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ('echo a("b")', 'echo a("b")'),
        ("(if exist x (echo a)) & echo b(c)", "(if exist x (echo a)) & echo b^(c^)"),
        ("(if not exist x mkdir x) && icacls x /grant *S:(OI)(CI)F", None),
        ('(for %f in (a b) do @if exist %f (echo @x& del "a (1)")) & echo "(y)"', ""),
        ("if exist x (echo a) else (echo b)", ""),
        ("if exist x echo WScript.Echo^(1^)", ""),
        ("(if exist x exit /b 0) || (echo a(b) & echo c)", "(if exist x exit /b 0) || (echo a^(b) & echo c^)"),
    ],
)
def test_parentheses_that_are_text_are_told_from_blocks(line, mended):
    if mended is None:
        mended = line.replace("(OI)(CI)", "^(OI^)^(CI^)")
    assert cmd_line.mended(line) == (mended or line)
