# SPDX-License-Identifier: GPL-3.0-or-later
"""WS-Management messages: requests read, answers written [MS-WSMV]."""

import base64
import html
import re
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass

from . import faults
from .faults import Fault, WSManFaultError

SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
CMD = f"{SHELL}/cmd"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
MAX_ENVELOPE = 153_600
NAMES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "rsp": SHELL,
}
_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")


@dataclass(frozen=True)
class Request:
    """One request.

    Attributes:
        action: the last part of its action's URI: Create, Command, Receive, Send, Signal or Delete.
        message_id: what the answer relates to.
        shell_id: the shell that it is for; None for Create.
        timeout: s that its sender waits.
        options: WINRS_ options, as upper-case text.
        body: the element in the body; None for Delete.
    """

    action: str
    message_id: str
    shell_id: str | None
    timeout: float
    options: dict[str, str]
    body: ET.Element | None


def read(message: bytes) -> Request:
    """Read a request.

    Raises:
        WSManFaultError: when it is too large, no XML, or not for the command shell.
    """
    if len(message) > MAX_ENVELOPE:
        raise WSManFaultError(faults.TOO_LARGE)
    try:
        envelope = ET.fromstring(message)  # noqa: S314 - only tests speak to this program
    except ET.ParseError as error:
        raise WSManFaultError(faults.NOT_XML) from error
    header, body = envelope.find("s:Header", NAMES), envelope.find("s:Body", NAMES)
    if header is None or body is None:
        raise WSManFaultError(faults.NOT_XML)
    action = header.findtext("a:Action", "", NAMES).strip()
    if header.findtext("w:ResourceURI", "", NAMES).strip() != CMD:
        raise WSManFaultError(faults.UNKNOWN_RESOURCE)
    base, _, name = action.rpartition("/")
    if base not in {TRANSFER, SHELL} or name not in {"Create", "Command", "Receive", "Send", "Signal", "Delete"}:
        raise WSManFaultError(faults.UNKNOWN_ACTION)
    selectors = {entry.get("Name"): entry.text for entry in header.iterfind("w:SelectorSet/w:Selector", NAMES)}
    options = {
        entry.get("Name", ""): (entry.text or "").upper() for entry in header.iterfind("w:OptionSet/w:Option", NAMES)
    }
    return Request(
        action=name,
        message_id=header.findtext("a:MessageID", "", NAMES),
        shell_id=selectors.get("ShellId"),
        timeout=seconds(header.findtext("w:OperationTimeout", "PT60S", NAMES)),
        options=options,
        body=next(iter(body), None),
    )


def seconds(duration: str) -> float:
    """Return the seconds of an XML duration of hours, minutes and seconds.

    Raises:
        WSManFaultError: when it is none.
    """
    found = _DURATION.fullmatch(duration.strip())
    if not found or duration.strip() == "PT":
        raise WSManFaultError(faults.BAD_PARAMETER)
    hours, minutes, rest = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + rest


def created(request: Request, shell_id: str) -> bytes:
    """Answer Create."""
    return _envelope(
        f"{TRANSFER}/CreateResponse", request.message_id,
        f'<x:ResourceCreated xmlns:x="{TRANSFER}"><a:Address>http://{html.escape("localhost")}:5985/wsman</a:Address>'
        f"<a:ReferenceParameters><w:ResourceURI>{CMD}</w:ResourceURI><w:SelectorSet>"
        f'<w:Selector Name="ShellId">{shell_id}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
        "</x:ResourceCreated>",
    )  # fmt: skip


def command_started(request: Request, command_id: str) -> bytes:
    """Answer Command."""
    body = f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>"
    return _envelope(f"{SHELL}/CommandResponse", request.message_id, body)


def received(
    request: Request, command_id: str, chunks: Iterable[tuple[str, bytes]], ended: Iterable[str], code: int | None
) -> bytes:
    """Answer Receive: pieces of output, which streams have ended, and the exit code of a command that is done."""
    parts = [
        f'<rsp:Stream Name="{name}" CommandId="{command_id}">{base64.b64encode(data).decode()}</rsp:Stream>'
        for name, data in chunks
    ]
    parts += [f'<rsp:Stream Name="{name}" CommandId="{command_id}" End="true"></rsp:Stream>' for name in ended]
    if code is None:
        parts.append(f'<rsp:CommandState CommandId="{command_id}" State="{SHELL}/CommandState/Running"/>')
    else:
        parts.append(
            f'<rsp:CommandState CommandId="{command_id}" State="{SHELL}/CommandState/Done">'
            f"<rsp:ExitCode>{code}</rsp:ExitCode></rsp:CommandState>"
        )
    body = f"<rsp:ReceiveResponse>{''.join(parts)}</rsp:ReceiveResponse>"
    return _envelope(f"{SHELL}/ReceiveResponse", request.message_id, body)


def done(request: Request) -> bytes:
    """Answer Send, Signal or Delete."""
    if request.action == "Delete":
        return _envelope(f"{TRANSFER}/DeleteResponse", request.message_id, "")
    return _envelope(f"{SHELL}/{request.action}Response", request.message_id, f"<rsp:{request.action}Response/>")


def refused(fault: Fault, message_id: str, machine: str) -> bytes:
    """Answer with a fault."""
    text = html.escape(fault.message)
    return _envelope(
        "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault", message_id,
        f"<s:Fault><s:Code><s:Value>s:{fault.side}</s:Value><s:Subcode><s:Value>{fault.subcode}</s:Value></s:Subcode>"
        f'</s:Code><s:Reason><s:Text xml:lang="de-DE">{text}</s:Text></s:Reason><s:Detail>'
        f'<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{fault.code}" '
        f'Machine="{html.escape(machine)}"><f:Message>{text}</f:Message></f:WSManFault></s:Detail></s:Fault>',
    )  # fmt: skip


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    return (
        f'<s:Envelope xml:lang="de-DE" xmlns:s="{NAMES["s"]}" xmlns:a="{NAMES["a"]}" xmlns:wsa="{NAMES["a"]}" '
        f'xmlns:w="{NAMES["w"]}" xmlns:rsp="{SHELL}"><s:Header><a:Action>{action}</a:Action>'
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        "<a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To>"
        f"<a:RelatesTo>{html.escape(relates_to)}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()
