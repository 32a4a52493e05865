# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request asks of the shells; and messages that NTLM seals where TLS doesn't [MS-WSMV 2.2.9.1]."""

import base64
import binascii
import struct

import spnego

from . import faults, soap
from .cmd_line import CMD
from .faults import WSManFaultError
from .shells import Shell, Shells

SEALED = "application/HTTP-SPNEGO-session-encrypted"
CONTENT_TYPE = f'multipart/encrypted;protocol="{SEALED}";boundary="Encrypted Boundary"'
_BOUNDARY = b"--Encrypted Boundary"
_OCTETS = b"\tContent-Type: application/octet-stream\r\n"


class BadMessageError(Exception):
    """An encrypted message is not of the form that MS-WSMV describes."""


def handle(request: soap.Request, user: str, shells: Shells) -> bytes:
    """Do what a request asks and return the answer.

    Raises:
        WSManFaultError: when it is refused.
    """
    shell_id = request.shell_id
    if request.action == "Create":
        return soap.created(request, shells.create(_shell(request, user)))
    if request.action == "Delete":
        shells.delete(user, shell_id)
        return soap.done(request)
    body = request.body
    if body is None:
        raise WSManFaultError(faults.BAD_PARAMETER)
    if request.action == "Command":
        return soap.command_started(request, shells.command(user, shell_id, _line(request)))
    if request.action == "Receive":
        stream = body.find("rsp:DesiredStream", soap.NAMES)
        command_id = "" if stream is None else stream.get("CommandId", "")
        pieces, code = shells.receive(user, shell_id, command_id, request.timeout)
        ended = [] if code is None else ["stdout", "stderr"]
        return soap.received(request, command_id, pieces, ended, code)
    if request.action == "Send":
        for stream in body.iterfind("rsp:Stream", soap.NAMES):
            try:
                data = base64.b64decode(stream.text or "", validate=False)
            except binascii.Error as error:
                raise WSManFaultError(faults.BAD_PARAMETER) from error
            end = stream.get("End", "").lower() == "true"
            shells.send(user, shell_id, stream.get("CommandId", ""), data, end=end)
        return soap.done(request)
    # ctrl_c and ctrl_break end a program too, unless it listens to them; none that the project starts does.
    shells.terminate(user, shell_id, body.get("CommandId", ""))
    return soap.done(request)


def _shell(request: soap.Request, user: str) -> Shell:
    shell = Shell(
        user=user,
        utf8=request.options.get("WINRS_CODEPAGE") == "65001",
        profile=request.options.get("WINRS_NOPROFILE") != "TRUE",
    )
    if request.body is not None:
        shell.folder = request.body.findtext("rsp:WorkingDirectory", "", soap.NAMES)
        idle = request.body.findtext("rsp:IdleTimeOut", "", soap.NAMES) or request.body.findtext(
            "rsp:IdleTimeout", "", soap.NAMES
        )
        if idle:
            shell.idle_seconds = soap.seconds(idle)
        for variable in request.body.iterfind("rsp:Environment/rsp:Variable", soap.NAMES):
            shell.variables[variable.get("Name", "")] = variable.text or ""
    return shell


def _line(request: soap.Request) -> str:
    body = request.body
    command = "" if body is None else body.findtext("rsp:Command", "", soap.NAMES)
    if body is None or not command:
        raise WSManFaultError(faults.BAD_PARAMETER)
    parts = [command, *(entry.text or "" for entry in body.iterfind("rsp:Arguments", soap.NAMES))]
    line = " ".join(parts)
    return line if request.options.get("WINRS_SKIP_CMD_SHELL") == "TRUE" else f"{CMD} /C {line}"


def is_encrypted(content_type: str) -> bool:
    """Return whether a message of this type is sealed."""
    return content_type.startswith("multipart/encrypted")


def decrypted(body: bytes, context: spnego.ContextProxy) -> bytes:
    """Return the message in a sealed body.

    Raises:
        BadMessageError: when it is of another form or length than it says.
        SpnegoError: when it was sealed for another session.
    """
    parts = [part for part in body.split(_BOUNDARY + b"\r\n") if part]
    if len(parts) != 2 or not parts[1].startswith(_OCTETS):
        raise BadMessageError
    payload = parts[1].removeprefix(_OCTETS).removesuffix(_BOUNDARY + b"--\r\n")
    (size,) = struct.unpack("<i", payload[:4])
    message = context.unwrap_winrm(payload[4 : 4 + size], payload[4 + size :])
    if int(parts[0].rpartition(b"Length=")[2]) != len(message):
        raise BadMessageError
    return message


def encrypted(message: bytes, context: spnego.ContextProxy) -> bytes:
    """Return a sealed body that carries a message."""
    sealed = context.wrap_winrm(message)
    head = (
        f"\tContent-Type: {SEALED}\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(message)}"
    )
    return b"".join(
        (
            _BOUNDARY, b"\r\n", head.encode(), b"\r\n", _BOUNDARY, b"\r\n", _OCTETS,
            struct.pack("<i", len(sealed.header)), sealed.header, sealed.data, _BOUNDARY, b"--\r\n",
        )
    )  # fmt: skip
