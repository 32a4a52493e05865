# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in of a device PC answers WinRM as Windows 7 does; real pywinrm meets it in scenario device_pc."""

import base64
import time
import uuid
from xml.etree import ElementTree

import pytest

from testbed.standins.device_pc.device_pc_standin import commands, faults, messages, soap
from testbed.standins.device_pc.device_pc_standin.faults import WSManFaultError
from testbed.standins.device_pc.device_pc_standin.shells import Command, Shell, Shells

NAMES = {**soap.NAMES, "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"}


class Running:
    def __init__(self):
        self.killed = False
        self.input = b""

    def write(self, data, *, end):
        self.input += data

    def kill(self):
        self.killed = True


@pytest.fixture
def started():
    return []


@pytest.fixture
def now():
    return [1000.0]


@pytest.fixture
def shells(started, now):
    def start(shell, command, line):
        running = Running()
        started.append((running, command, line))
        return running

    return Shells(start, clock=lambda: now[0])


def message(action, body="", shell=None, base=soap.SHELL, options=()):
    selectors = f'<w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet>' if shell else ""
    chosen = "".join(f'<w:Option Name="{name}">{value}</w:Option>' for name, value in options)
    return (
        f'<s:Envelope xmlns:s="{soap.NAMES["s"]}" xmlns:a="{soap.NAMES["a"]}" xmlns:w="{soap.NAMES["w"]}" '
        f'xmlns:rsp="{soap.SHELL}"><s:Header><a:Action>{base}/{action}</a:Action><a:MessageID>uuid:1</a:MessageID>'
        f"<w:ResourceURI>{soap.CMD}</w:ResourceURI><w:OperationTimeout>PT1.5S</w:OperationTimeout>{selectors}"
        f"<w:OptionSet>{chosen}</w:OptionSet></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def handle(shells, user="admin", **parts):
    return ElementTree.fromstring(messages.handle(soap.read(message(**parts)), user, shells))


def create(shells, user="admin"):
    answer = handle(shells, user, action="Create", body="<rsp:Shell/>", base=soap.TRANSFER)
    return answer.find(".//w:Selector", NAMES).text


def test_a_sixth_shell_of_one_user_is_refused_until_one_is_closed(shells):
    opened = [create(shells) for _ in range(5)]
    with pytest.raises(WSManFaultError) as refused:
        create(shells)
    assert refused.value.fault.code == 2150859173
    create(shells, user="another")
    handle(shells, action="Delete", shell=opened[0], base=soap.TRANSFER)
    create(shells)


def test_operations_come_back_only_when_the_shell_goes(shells, started):
    shell, other = create(shells), create(shells)
    for _ in range(15):
        command = shells.command("admin", shell, "ver")
        shells.terminate("admin", shell, command)
    with pytest.raises(WSManFaultError) as refused:
        shells.command("admin", other, "ver")
    assert refused.value.fault.code == 2150859174
    assert all(running.killed for running, _, _ in started)
    shells.delete("admin", shell)
    shells.command("admin", other, "ver")


def test_an_idle_shell_ends_with_what_runs_in_it(shells, started, now):
    shell = create(shells)
    shells.command("admin", shell, "ping")
    now[0] += 179
    assert shells.expire() == []
    now[0] += 2
    assert shells.expire() == [shell]
    assert started[0][0].killed


def test_newer_windows_keeps_an_idle_shell_for_hours_unless_it_asks_for_less(started, now):
    shells = Shells(lambda *_: Running(), clock=lambda: now[0], version=lambda: "10")
    usual = create(shells)
    short = handle(shells, action="Create", base=soap.TRANSFER,
                   body="<rsp:Shell><rsp:IdleTimeOut>PT60S</rsp:IdleTimeOut></rsp:Shell>")  # fmt: skip
    now[0] += 61
    assert shells.expire() == [short.find(".//w:Selector", NAMES).text]
    now[0] += 7140
    assert shells.expire() == [usual]


def test_a_shell_without_a_profile_has_the_systems_folder_for_temporary_files():
    without = commands.own_variables(Shell("facility-admin", profile=False))
    assert without["TEMP"] == without["TMP"] == "C:\\windows\\temp"
    assert without["USERNAME"] == "facility-admin"


def test_a_shell_says_whether_it_wants_a_profile():
    for value, profile in (("TRUE", False), ("FALSE", True)):
        options = [("WINRS_NOPROFILE", value)]
        request = soap.read(message("Create", body="<rsp:Shell/>", base=soap.TRANSFER, options=options))
        assert messages._shell(request, "admin").profile is profile


def test_another_users_shell_is_unknown(shells):
    shell = create(shells)
    with pytest.raises(WSManFaultError) as refused:
        shells.command("mallory", shell, "ver")
    assert refused.value.fault.code == 2150858843


def test_a_command_line_reaches_cmd_as_it_is_written(shells, started):
    line = 'echo "a b" &amp; type "c:\\t.txt"'
    handle(shells, action="Command", body=f"<rsp:CommandLine><rsp:Command>{line}</rsp:Command></rsp:CommandLine>",
           shell=create(shells), options=[("WINRS_SKIP_CMD_SHELL", "FALSE")])  # fmt: skip
    assert started[0][2] == 'C:\\windows\\system32\\cmd.exe /C echo "a b" & type "c:\\t.txt"'


def test_skip_cmd_shell_starts_the_program_itself(shells, started):
    body = "<rsp:CommandLine><rsp:Command>hostname</rsp:Command><rsp:Arguments>/x</rsp:Arguments></rsp:CommandLine>"
    handle(shells, action="Command", body=body, shell=create(shells), options=[("WINRS_SKIP_CMD_SHELL", "TRUE")])
    assert started[0][2] == "hostname /x"


def test_output_comes_in_pieces_and_the_exit_code_last():
    command = Command()
    command.printed("stdout", b"x" * 40_000)
    command.finished(0x80070002)
    first, code = command.receive(1)
    assert (len(first[0][1]), code) == (32_768, None)
    rest, code = command.receive(1)
    assert (len(rest[0][1]), code) == (40_000 - 32_768, 0x80070002)


def test_waiting_for_output_ends_with_the_fault_that_pywinrm_goes_on_after():
    begun = time.monotonic()
    with pytest.raises(WSManFaultError) as refused:
        Command().receive(0.05)
    assert refused.value.fault.code == 2150858793
    assert time.monotonic() - begun < 1


def test_input_reaches_the_command(shells, started):
    shell = create(shells)
    command = shells.command("admin", shell, "sort")
    text = base64.b64encode("grün".encode()).decode()
    handle(shells, action="Send", shell=shell,
           body=f'<rsp:Send><rsp:Stream Name="stdin" CommandId="{command}" End="true">{text}</rsp:Stream></rsp:Send>',
           )  # fmt: skip
    assert started[0][0].input.decode() == "grün"


def test_a_fault_says_its_number_and_speaks_german():
    answer = ElementTree.fromstring(soap.refused(faults.NOT_THERE, "uuid:7", "mic1"))
    assert answer.find(".//f:WSManFault", NAMES).get("Code") == "2150858843"
    assert "nicht gefunden" in answer.findtext(".//f:Message", namespaces=NAMES)
    assert answer.findtext(".//a:RelatesTo", namespaces=NAMES) == "uuid:7"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<no xml", 2150858819),
        (b"<Envelope/>", 2150858819),
        (b"x" * 153_601, 2150858805),
        (message("Enumerate", base="http://schemas.xmlsoap.org/ws/2004/09/enumeration"), 2150858752),
        (message("Create", base=soap.TRANSFER).replace(b"shell/cmd", b"wmi/root"), 2150858811),
    ],
)
def test_what_is_no_request_for_a_shell_is_refused(data, code):
    with pytest.raises(WSManFaultError) as refused:
        soap.read(data)
    assert refused.value.fault.code == code


def test_a_request_says_how_long_its_sender_waits():
    assert soap.read(message("Receive", body="<rsp:Receive/>", shell=uuid.uuid4())).timeout == 1.5
    assert soap.seconds("PT1H2M3S") == 3723
    with pytest.raises(WSManFaultError):
        soap.seconds("20")


def test_a_shell_may_ask_for_utf8_and_a_folder(shells):
    request = soap.read(message("Create", base=soap.TRANSFER, options=[("WINRS_CODEPAGE", "65001")],
                                body="<rsp:Shell><rsp:WorkingDirectory>C:\\t</rsp:WorkingDirectory></rsp:Shell>"),
                        )  # fmt: skip
    shell = messages._shell(request, "admin")
    assert isinstance(shell, Shell)
    assert (shell.utf8, shell.folder) == (True, "C:\\t")
