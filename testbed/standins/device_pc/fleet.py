# SPDX-License-Identifier: GPL-3.0-or-later
"""Up to a thousand PCs in one process: WS-Management that answers only the one question a check asks.

It replays an answer that was recorded from a Wine-backed PC, with the time of the agent's last run brought up to date,
so that what is measured is the controller. Each PC is a port of its own on loopback; log-on is Basic over TLS.
"""

import argparse
import asyncio
import base64
import json
import re
import resource
import signal
import ssl
import sys
import time
import uuid
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

_SPACES = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:x="http://schemas.xmlsoap.org/ws/2004/09/transfer" '
    'xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell"'
)
_SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_MESSAGE = re.compile(rb"<a:MessageID>(?:uuid:)?([0-9A-Fa-f-]+)</a:MessageID>")
_ACTION = re.compile(rb"<a:Action[^>]*>[^<]*/(\w+)</a:Action>")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_STATE_TIME = re.compile(rb"last_run=[0-9TZ:-]+")


class Fleet:
    """The PCs' answers.

    Attributes:
        authorization: the one value of the header that is let in.
        recorded: what a Wine-backed PC answered to the question.
        requests: how many were answered, by action.
    """

    def __init__(self, user: str, password: str, recorded: bytes) -> None:
        token = base64.b64encode(f"{user}:{password}".encode())
        self.authorization = b"Basic " + token
        self.recorded = recorded
        self.requests: dict[str, int] = {}

    def body(self, request: bytes) -> bytes:
        """Return the answer to one message."""
        action = _found(_ACTION, request).decode()
        self.requests[action] = self.requests.get(action, 0) + 1
        parts: dict[str, Callable[[], str]] = {
            "Create": lambda: (
                "<x:ResourceCreated><a:ReferenceParameters><w:SelectorSet>"
                f'<w:Selector Name="ShellId">{uuid.uuid4()}</w:Selector>'
                "</w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>"
            ),
            "Command": lambda: (
                f"<rsp:CommandResponse><rsp:CommandId>{uuid.uuid4()}</rsp:CommandId></rsp:CommandResponse>"
            ),
            "Receive": self._output,
            "Signal": lambda: "<rsp:SignalResponse/>",
            "Delete": lambda: "",
        }
        message = _found(_MESSAGE, request).decode()
        return (
            f"<s:Envelope {_SPACES}><s:Header><a:RelatesTo>uuid:{message}</a:RelatesTo></s:Header>"
            f"<s:Body>{parts[action]()}</s:Body></s:Envelope>"
        ).encode()

    def _output(self) -> str:
        now = time.strftime("last_run=%Y-%m-%dT%H:%M:%SZ", time.gmtime()).encode()
        output = base64.b64encode(_STATE_TIME.sub(now, self.recorded)).decode()
        return (
            f'<rsp:ReceiveResponse><rsp:Stream Name="stdout" CommandId="C">{output}</rsp:Stream>'
            f'<rsp:CommandState CommandId="C" State="{_SHELL}/CommandState/Done"><rsp:ExitCode>0</rsp:ExitCode>'
            "</rsp:CommandState></rsp:ReceiveResponse>"
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until it ends."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                request = await reader.readexactly(int(_found(_LENGTH, head)))
                allowed = self.authorization in head
                body = self.body(request) if allowed else b""
                writer.write(
                    f"HTTP/1.1 {'200 OK' if allowed else '401 Unauthorized'}\r\nDate: {formatdate(usegmt=True)}\r\n"
                    f"Content-Type: application/soap+xml;charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def _found(pattern: re.Pattern[bytes], text: bytes) -> bytes:
    match = pattern.search(text)
    if match is None:
        raise ValueError(f"a message without {pattern.pattern!r}: the simulator knows only the check")
    return match[1]


async def serve(fleet: Fleet, first_port: int, count: int, certificate: Path, key: Path) -> None:
    """Serve PCs on ports from first_port on until SIGTERM; then print how much was asked."""
    _allow_connections()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    for port in range(first_port, first_port + count):
        await asyncio.start_server(fleet.serve, "127.0.0.1", port, ssl=context, backlog=16)
    print(f"{count} PCs", flush=True)
    await ended.wait()
    print(json.dumps(fleet.requests), flush=True)


def _allow_connections() -> None:
    """Each PC takes a file handle, and so does each connection: more than most shells grant at first."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main() -> int:
    """Serve until SIGTERM; the password comes on standard input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recorded", type=Path, help="file with the answer of a Wine-backed PC")
    parser.add_argument("certificate", type=Path)
    parser.add_argument("key", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first-port", type=int, default=30000)
    parser.add_argument("--user", default="facility-admin")
    given = parser.parse_args()
    fleet = Fleet(given.user, sys.stdin.readline().strip(), given.recorded.read_bytes())
    asyncio.run(serve(fleet, given.first_port, given.count, given.certificate, given.key))
    return 0


if __name__ == "__main__":
    sys.exit(main())
