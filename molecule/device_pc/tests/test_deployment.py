# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent on the PC is as it should be, closed to users, and what is wrong is told apart."""

from __future__ import annotations

import re
import ssl
import subprocess
from collections import Counter

import pytest
import requests

from facility.device_pc.agent.agent import AgentError
from facility.device_pc.trouble import WinrmError

FOLDER = r"C:\Program Files\PPMS-Agent"


def test_the_agent_is_there_and_well(pc, until):
    pc.device("clock", "--speed", "60")
    until(lambda: pc.look()["state"].get("last_run"))
    pc.device("clock", "--true")
    found = until(lambda: pc.look(probe=True) if not pc.look()["problems"] else None)
    assert found["installed"] == "vbscript"
    assert found["probe"]["tracker"] == "reachable"
    assert abs(found["clock_difference"]) <= 2


def test_a_no_change_check_is_one_shell_and_one_command(pc, monkeypatch):
    sent: Counter[str] = Counter()
    send = requests.Session.send

    def counted(session, request, **options):
        sent.update(re.findall(r"/(Create|Command|Send|Receive|Signal|Delete)</", str(request.body)))
        return send(session, request, **options)

    monkeypatch.setattr(requests.Session, "send", counted)
    assert not pc.look(transport="basic")["changed"]
    # This PC hands out its answer in pieces, a request each, and a slow one has none yet when it is first asked.
    assert sent.pop("Receive") >= 1
    assert sent == {"Create": 1, "Command": 1, "Signal": 1, "Delete": 1}


@pytest.mark.parametrize("name", ["tracker.code", "ppms-agent.ini", "ppms-agent.vbs", "state.ini"])
def test_somebody_at_the_pc_reads_nothing(pc, name):
    pc.device("log-on", r"IMAGING\aadler")
    answer = pc.person(f'type "{FOLDER}\\{name}"')
    assert answer.rc != 0
    assert pc.code not in answer.stdout


def test_somebody_at_the_pc_changes_nothing(pc):
    pc.device("log-on", r"IMAGING\aadler")
    for line in (
        f'echo x>"{FOLDER}\\ppms-agent.vbs"',
        f'del "{FOLDER}\\tracker.code"',
        f'echo x>"{FOLDER}\\journal\\2026-01-01.csv"',
        r'schtasks /change /tn "\Facility\PPMS-Agent" /disable',
    ):
        pc.person(line)
    assert not pc.look()["changed"]
    assert not pc.host.file("/var/lib/device-pc/prefix/drive_c/Program Files/PPMS-Agent/journal/2026-01-01.csv").exists
    pc.device("log-off")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f'echo WScript.Echo 1>"{FOLDER}\\ppms-agent.vbs"', "isn't the facility's"),
        (f'echo system_id=99>>"{FOLDER}\\ppms-agent.ini"', "isn't as the inventory says"),
        (f'echo another>"{FOLDER}\\tracker.code"', "isn't the vault's"),
        (r'schtasks /change /tn "\Facility\PPMS-Agent" /disable', "switched off by hand"),
        (r'schtasks /delete /tn "\Facility\PPMS-Agent" /f', "isn't there, so nothing is reported"),
        (f'icacls "{FOLDER}\\tracker.code" /grant *S-1-5-32-545:R', "others than the facility"),
    ],
)
def test_what_was_changed_by_hand_is_told_and_changed_back(mended, line, told):
    mended.run(line)
    found = mended.look()
    assert [problem for problem in found["problems"] if told in problem], found["problems"]
    looked = mended.deploy(check=True)
    assert mended.look()["changed"], "looking ahead changes nothing"
    done = mended.deploy()
    assert done["changed"]
    assert looked["diff"] == done["diff"]
    assert mended.code not in str(done)
    assert not mended.look()["changed"]


def test_when_vbscript_is_removed_the_twin_takes_over_and_back(mended):
    mended.device("fault", "vbscript-off")
    assert any("vbscript is off or was removed" in line for line in mended.look()["problems"])
    assert mended.deploy()["engine"] == "jscript"
    assert not mended.look()["changed"]
    assert mended.look(probe=True)["probe"]["engine"] == "jscript"
    mended.device("fault", "none")
    assert mended.deploy()["engine"] == "vbscript"


def test_a_full_disk_is_told_and_the_old_agent_works_on(mended):
    mended.device("fault", "disk-full")
    with pytest.raises((WinrmError, AgentError), match=r"disk full|status"):
        mended.deploy(journal_days=9)
    mended.device("fault", "none")
    found = mended.look()
    assert found["settings"]["journal_days"] == "35"
    assert not found["changed"]


def test_the_pc_s_troubles_are_told_apart(mended):
    assert "is refused: the password is wrong" in mended.look(password="wrong")["problems"][0]
    assert "is not known" in mended.look(host="nowhere.device.test")["problems"][0]
    foreign = mended.look(ca_file="")
    assert foreign["kind"] == "certificate"
    mended.device("fault", "winrm-off")
    off = mended.look()
    assert (off["kind"], off["reachable"]) == ("unreachable", False)
    assert "WinRM is off" in off["problems"][0]


def test_an_expired_certificate_is_told(mended, tmp_path, ephemeral, until):
    kit = ephemeral / "kits/mic1.device.test"
    command = ["openssl", "x509", "-req", "-in", tmp_path / "csr", "-CA", ephemeral / "authority/ca.crt", "-days", "-1"]
    command += [
        "-CAkey",
        ephemeral / "authority/ca.key",
        "-passin",
        f"file:{ephemeral}/passphrase",
        "-copy_extensions",
        "copy",
    ]
    request = [
        "openssl",
        "req",
        "-new",
        "-key",
        kit / "winrm.key",
        "-subj",
        "/CN=mic1.device.test",
        "-out",
        tmp_path / "csr",
    ]
    subprocess.run([*request, "-addext", "subjectAltName=DNS:mic1.device.test"], check=True)
    expired = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    try:
        _certificate(mended, expired)
        found = until(lambda: mended.look() if mended.look()["kind"] == "certificate" else None)
        assert "has expired" in found["problems"][0]
    finally:
        _certificate(mended, (kit / "winrm.crt").read_text())
        until(lambda: mended.look()["reachable"])


def _certificate(pc, text):
    pem = ssl.DER_cert_to_PEM_cert(ssl.PEM_cert_to_DER_cert(text))
    pc.host.check_output("printf %%s %s > /var/lib/device-pc/winrm.crt", pem)


def test_a_controller_may_log_on_with_a_certificate_instead_of_a_password(mended, tmp_path, ephemeral):
    authority = ephemeral / "authority"
    request = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=facility-admin"]
    sign = [
        "openssl",
        "x509",
        "-req",
        "-in",
        tmp_path / "csr",
        "-CA",
        authority / "ca.crt",
        "-CAkey",
        authority / "ca.key",
    ]
    for command in (
        [*request, "-keyout", tmp_path / "key", "-out", tmp_path / "csr"],
        [*sign, "-passin", f"file:{ephemeral}/passphrase", "-days", "1", "-out", tmp_path / "crt"],
        [*request, "-x509", "-keyout", tmp_path / "own.key", "-out", tmp_path / "own.crt"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    by_certificate = {"transport": "certificate", "username": "", "password": ""}
    ours = {"certificate": str(tmp_path / "crt"), "private_key": str(tmp_path / "key")}
    foreign = {"certificate": str(tmp_path / "own.crt"), "private_key": str(tmp_path / "own.key")}
    mended.host.check_output("printf %%s %s > /var/lib/device-pc/clients.crt", (authority / "ca.crt").read_text())
    try:
        let_in = mended.look(**by_certificate, **ours)
        assert (let_in["reachable"], let_in["problems"]) == (True, [])
        assert not mended.look(**by_certificate, **foreign)["reachable"]
    finally:
        mended.host.check_output("rm /var/lib/device-pc/clients.crt")


def test_windows_7_prints_checksums_its_own_way(mended):
    mended.device("windows", "7")
    try:
        assert not mended.look()["changed"]
        mended.run(f'del "{FOLDER}\\ppms-agent.vbs"')
        assert mended.deploy()["changed"]
    finally:
        mended.device("windows", "10")


def test_an_agent_that_is_not_wanted_goes_and_comes_back(mended):
    assert mended.deploy(state="absent")["changed"]
    assert not mended.deploy(state="absent")["changed"]
    assert mended.look()["problems"]
    assert mended.deploy()["changed"]


def test_secrets_are_in_no_log_of_the_pc(pc, ephemeral):
    log = pc.host.check_output("journalctl -u device-pc-winrm -u device-pc-scheduler -o cat")
    assert pc.code not in log
    assert pc.params["password"] not in log
    assert (ephemeral / "pc-password").stat().st_mode & 0o077 == 0
