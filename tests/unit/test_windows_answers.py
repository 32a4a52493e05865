# SPDX-License-Identifier: GPL-3.0-or-later
"""What Windows' tools answer is read without its words: numbers, hexadecimal digits, XML, SDDL."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.device_pc.command import MAXIMUM_LENGTH, Scratch, Upload, hashes
from facility.device_pc.security_descriptor import access_list, saved
from facility.device_pc.task_scheduler import RepeatedTask, task_facts

SUM = hashlib.sha256(b"x").hexdigest()


@pytest.mark.parametrize(
    "output",
    [
        f"SHA256 hash of f:\r\n{SUM}\r\nCertUtil: -hashfile command completed successfully.\r\n",
        f"SHA256-Hash von f:\r\n{SUM.upper()}\r\nCertUtil: -hashfile-Befehl wurde erfolgreich ausgeführt.\r\n",
        # Windows 7
        "SHA256-Hash der Datei f:\r\n" + " ".join(SUM[i : i + 2] for i in range(0, 64, 2)) + "\r\nCertUtil: ok\r\n",
    ],
)
def test_a_checksum_is_found_in_any_language_and_age_of_certutil(output):
    assert hashes(output) == [SUM]


def test_an_error_of_certutil_is_no_checksum():
    assert hashes("CertUtil: -hashfile FEHLER: 0x80070002 (WIN32: 2 ERROR_FILE_NOT_FOUND)") == []


@given(st.binary(min_size=1, max_size=40_000))
def test_an_upload_arrives_whatever_it_holds(content):
    upload = Upload(r"%ProgramFiles%\a b\f", content, Scratch.new())
    lines = [line for line, _ in upload.commands()]
    assert max(map(len, lines)) <= MAXIMUM_LENGTH
    arrived = "".join(line.split("echo ")[1].split(")")[0] for line in lines)
    assert base64.b64decode(arrived) == content
    assert lines[0].count(">>") == 0, "the first line begins anew, whatever an earlier try left"
    assert all(")>>" in line for line in lines[1:])
    assert upload.is_whole(f"x\r\n{hashlib.sha256(content).hexdigest()}\r\n")
    assert not upload.is_whole(f"x\r\n{hashlib.sha256(content + b'!').hexdigest()}\r\n")


def test_a_secret_is_in_no_command_line():
    upload = Upload("f", b"s3cret", Scratch.new(), secret=True)
    for line, stdin in upload.commands():
        assert base64.b64encode(b"s3cret").decode() not in line
        assert base64.b64encode(b"s3cret") in stdin
    assert "s3cret" not in repr(upload)


def test_an_access_list_is_read_from_sddl():
    got = access_list("D:PAI(A;OICI;FA;;;SY)(A;OICI;0x1301bf;;;LS)(D;;FR;;;S-1-5-21-1-2-3-1001)")
    assert got.protected
    assert got.entries == ("LOCAL SERVICE: modify", "SYSTEM: full", "deny S-1-5-21-1-2-3-1001: read")


def test_what_comes_from_the_folder_above_is_told_apart():
    assert access_list("D:AI(A;ID;FA;;;BA)").entries == ("Administrators: full (inherited)",)
    assert not access_list("D:AI(A;ID;FA;;;BA)").protected


def test_no_access_list_at_all_is_everybody_s():
    assert access_list("").entries == ("Everyone: full",)


def test_what_icacls_saved_is_read_by_path():
    text = "\ufeffPPMS-Agent\r\nD:PAI(A;;FA;;;BA)\r\nPPMS-Agent\\Tracker.code\r\nD:AI(A;ID;FR;;;BU)\r\n"
    assert set(saved(text)) == {"ppms-agent", "ppms-agent\\tracker.code"}


def test_a_task_comes_back_as_it_was_made():
    task = RepeatedTask(r"%SystemRoot%\System32\wscript.exe", '//B "a & b.vbs"', minutes=2, description="<Ä>")
    assert task.xml()[:2] in {b"\xff\xfe", b"\xfe\xff"}, "schtasks takes UTF-16 with a mark"
    facts = task.facts()
    assert facts["arguments"] == '//B "a & b.vbs"'
    assert facts["interval"] == "PT2M"
    assert facts["account"] == "S-1-5-19"
    # Windows leaves out what is the default, and puts empty lines around.
    again = task.xml().decode("utf-16").replace("<Enabled>true</Enabled>", "").replace("UTF-16", "UTF-8")
    assert task_facts(f"\r\n\r\n{again}\r\n") == facts


def test_what_is_no_task_is_refused():
    with pytest.raises(ValueError, match="no task"):
        task_facts("FEHLER: Das System kann die angegebene Datei nicht finden.")
