# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way in which a PC can't be asked has its kind and its cure; passwords are never among the words."""

from __future__ import annotations

import socket
import threading
import time

import pytest
import requests
import winrm.exceptions

from facility.device_pc.trouble import Endpoint, Kind, WinrmError, explained
from facility.device_pc.winrm import DevicePc

PASSWORD = "pw-never-shown"
PC = Endpoint("mic1.example.org", username="admin", password=PASSWORD)


def fault(code):
    return winrm.exceptions.WSManFaultError(500, "m", "<s/>", "Zugriff verweigert", wsman_fault_code=code)


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (requests.exceptions.ConnectTimeout("timed out"), Kind.UNREACHABLE, "off, asleep"),
        (requests.exceptions.ConnectionError("Connection refused"), Kind.UNREACHABLE, "WinRM is off"),
        (requests.exceptions.ConnectionError("NameResolutionError(...)"), Kind.UNREACHABLE, "is not known"),
        (requests.exceptions.ConnectionError("reset by peer"), Kind.UNREACHABLE, "run again"),
        (requests.exceptions.ReadTimeout("read"), Kind.TIME_OUT, "fell silent"),
        (requests.exceptions.SSLError("certificate has expired"), Kind.CERTIFICATE, "issue a new one"),
        (requests.exceptions.SSLError("Hostname mismatch"), Kind.CERTIFICATE, "for another name"),
        (requests.exceptions.SSLError("self-signed certificate"), Kind.CERTIFICATE, "not of an authority"),
        (requests.exceptions.SSLError("TLSV1_ALERT_UNKNOWN_CA"), Kind.CERTIFICATE, "does not accept the controller's"),
        (requests.exceptions.SSLError("unsupported protocol"), Kind.CERTIFICATE, "TLS 1.2"),
        (winrm.exceptions.InvalidCredentialsError("rejected"), Kind.REFUSED, "the password is wrong"),
        (fault(2150859173), Kind.REFUSED, "too many shells"),
        (fault(2150858843), Kind.UNREACHABLE, "restarted meanwhile"),
        (fault(5), Kind.REFUSED, "no administrator"),
        (fault(1), Kind.REFUSED, "code 1"),
        (fault(2150859179), Kind.REFUSED, "too many shells"),
        (winrm.exceptions.WinRMTransportError("http", 404, "not here"), Kind.REFUSED, "another service's port"),
        (winrm.exceptions.WinRMOperationTimeoutError(), Kind.TIME_OUT, "overloaded"),
        (requests.exceptions.ChunkedEncodingError("Connection broken: IncompleteRead"), Kind.NONSENSE, "run again"),
        (requests.exceptions.ContentDecodingError("gzip"), Kind.NONSENSE, "which program has the port"),
        (UnicodeDecodeError("utf-8", b"\xfc", 0, 1, "invalid start byte"), Kind.NONSENSE, "makes no sense"),
        (StopIteration(), Kind.NONSENSE, "makes no sense"),
        (ConnectionResetError("reset"), Kind.UNREACHABLE, "run again"),
        (
            OSError("Could not find a suitable TLS CA certificate bundle, invalid path: /x"),
            Kind.CERTIFICATE,
            "set ca_file",
        ),
        (ValueError("[digital envelope routines] disabled for FIPS"), Kind.REFUSED, "FIPS"),
    ],
)
def test_trouble_is_told_apart_with_its_cure(error, kind, told):
    got = explained(PC, error)
    assert got.kind is kind
    assert told in str(got)
    assert str(got).startswith("mic1.example.org:5986: ")
    assert PASSWORD not in str(got)


def test_an_error_that_nobody_thought_of_is_the_pc_s_with_a_cure():
    got = explained(PC, KeyError("x"))
    assert got.kind is Kind.NONSENSE
    assert "KeyError" in str(got)
    assert "run again" in str(got)


def test_a_password_is_not_shown_to_the_network_or_in_a_traceback():
    with pytest.raises(WinrmError, match="use https"):
        Endpoint("mic1", transport="basic", scheme="http")
    assert PASSWORD not in repr(PC)


def test_a_pc_that_is_off_does_not_hold_up_the_night():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        pc = Endpoint("127.0.0.1", port=nobody.getsockname()[1], username="a", password="b", connect_seconds=1)
        with pytest.raises(WinrmError) as told, DevicePc(pc) as asked:
            asked.run("ver")
    assert told.value.kind is Kind.UNREACHABLE


def test_a_port_that_speaks_no_tls_is_told():
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=lambda: server.accept()[0].sendall(b"SSH-2.0-x\r\n"), daemon=True)
        thread.start()
        pc = Endpoint("127.0.0.1", port=server.getsockname()[1], username="a", password="b", connect_seconds=1)
        with pytest.raises(WinrmError) as told, DevicePc(pc) as asked:
            asked.run("ver")
    assert told.value.kind in {Kind.CERTIFICATE, Kind.UNREACHABLE}


def test_a_line_that_cmd_would_cut_is_never_sent():
    with pytest.raises(ValueError, match="8191"):
        DevicePc(PC).run("x" * 8192)


class Shells:
    """What pywinrm does with shells, for a PC whose answers are given."""

    def __init__(self, *openings):
        self.openings = list(openings)
        self.opened, self.closed, self.commands = 0, 0, []
        self.asked_for, self.cleaned, self.operation_timeout_sec = {}, 0, 0

    def open_shell(self, **asked_for):
        self.opened += 1
        self.asked_for = asked_for
        opening = self.openings.pop(0) if self.openings else "shell"
        if isinstance(opening, Exception):
            raise opening
        return opening

    def run_command(self, shell, command, **_):
        self.commands.append(command.rpartition("& ")[2])
        command = self.commands[-1]
        if command == "break":
            raise requests.exceptions.ConnectionError("Connection aborted")
        return "id"

    def get_command_output_raw(self, *_):
        if self.commands[-1] == "fall silent":
            raise requests.exceptions.ReadTimeout("read")
        if self.commands[-1] == "hang":
            # WinRM says so only when the request's time is over.
            time.sleep(0.6)
            raise winrm.exceptions.WinRMOperationTimeoutError
        return b"out", b"", 0, True

    def cleanup_command(self, *_):
        self.cleaned += 1

    def close_shell(self, *_, **__):
        self.closed += 1


@pytest.fixture
def asked():
    def asked(*openings, seconds=60):
        pc = DevicePc(PC, seconds)
        shells = Shells(*openings)
        shells.transport = pc._protocol.transport
        pc._protocol = shells
        return pc, shells

    return asked


def test_a_dropped_connection_is_tried_again_for_a_shell_and_never_for_a_command(asked):
    pc, shells = asked(requests.exceptions.ConnectionError("Connection aborted"), "shell")
    assert pc.run("ver").output == "out"
    assert shells.opened == 2
    with pytest.raises(WinrmError):
        pc.run("break")
    assert shells.commands == ["ver", "break"], "the PC may have begun"


def test_a_pc_that_is_off_is_not_knocked_at_twice(asked):
    pc, shells = asked(requests.exceptions.ConnectionError("[Errno 111] Connection refused"))
    with pytest.raises(WinrmError):
        pc.run("ver")
    assert shells.opened == 1


def test_windows_7_s_quota_is_never_reached(asked):
    pc, shells = asked()
    with pc:
        for _ in range(25):
            pc.run("ver")
    # A command keeps an operation until its shell is closed; 15 are a user's.
    assert shells.opened == shells.closed == 3


def test_a_command_that_hangs_is_ended(asked):
    pc, shells = asked()
    with pytest.raises(WinrmError) as told, pc:
        pc.run("hang", seconds=0.01)
    assert told.value.kind is Kind.TIME_OUT
    assert (shells.cleaned, shells.closed) == (1, 1), "such a PC answers, so nothing is left there"


def test_a_pc_that_fell_silent_is_not_asked_for_anything_more(asked):
    pc, shells = asked()
    with pytest.raises(WinrmError) as told, pc:
        pc.run("fall silent")
    assert told.value.kind is Kind.TIME_OUT
    assert (shells.cleaned, shells.closed) == (0, 0)
    with pytest.raises(WinrmError, match="fell silent"):
        pc.run("ver")
    assert shells.commands == ["fall silent"]


def test_a_pc_has_one_deadline_for_all_that_is_asked_of_it(asked):
    pc, _ = asked(seconds=4.5)
    with pytest.raises(WinrmError, match=r"one PC gets|did not come to an end") as told:
        for _ in range(10):
            pc.run("hang", seconds=0.5)
            time.sleep(0.5)
    assert told.value.kind is Kind.TIME_OUT
    wait = pc._protocol.transport.read_timeout_sec
    assert max(wait) <= 4.5


def test_a_shell_of_a_broken_run_ends_soon_and_needs_no_profile(asked):
    pc, shells = asked()
    pc.run("ver")
    assert shells.asked_for["idle_timeout"] == "PT60S"
    assert shells.asked_for["noprofile"] is True


def test_no_program_is_looked_for_in_a_folder_that_software_put_into_the_path(asked, monkeypatch):
    pc, shells = asked()
    lines = []
    monkeypatch.setattr(
        shells, "run_command", lambda _, line, **__: (lines.append(line), shells.commands.append("ver"))
    )
    pc.run("certutil -?")
    assert lines == [r'cd /d "%SystemRoot%\System32"& certutil -?']
