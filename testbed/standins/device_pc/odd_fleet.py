# SPDX-License-Identifier: GPL-3.0-or-later
"""PCs that answer oddly, or not at all, beside healthy ones: which one a PC is, its user name says.

All share one port on loopback, with Basic over TLS: ``well``, ``silent`` (takes the command and says nothing more),
``never`` (a command that never ends), ``refuses`` (the password), ``drips`` (a byte a second), or a name of
odd_answers().
"""

import asyncio
import base64
import binascii
import gzip
import random
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from .fleet import _ACTION, _LENGTH, _SPACES, Fleet, _allow_connections, _found

_USER = re.compile(rb"authorization: *basic +(\S+)", re.IGNORECASE)
_STREAM = re.compile(rb"(<rsp:Stream[^>]*>)([^<]*)(</rsp:Stream>)")
ACTIONS = ("Create", "Command", "Receive", "Signal", "Delete")
TIMED_OUT = 2150858793
FAULTS = (
    5,
    87,
    995,
    1326,
    TIMED_OUT,
    2147943418,
    2150858752,
    2150858805,
    2150858843,
    2150859173,
    2150859174,
    2150859179,
)


@dataclass(frozen=True)
class Odd:
    """How a PC answers one action.

    Attributes:
        action: which one; the others are answered well.
        raw: what is sent instead, made from the right answer's body; the connection ends after it.
    """

    action: str
    raw: Callable[[bytes], bytes]


def odd_answers() -> dict[str, Odd]:
    """Return odd answers by name: at every action, and of the command's output."""
    found: dict[str, Odd] = {}
    for action in ACTIONS:
        for name, raw in _whole().items():
            found[f"{action}-{name}"] = Odd(action, raw)
        for tenth in range(10):
            found[f"{action}-cut{tenth}"] = Odd(action, _cut(tenth))
        for code in FAULTS:
            found[f"{action}-fault{code}"] = Odd(action, _fault(code))
    chance = random.Random(20261130)  # noqa: S311 - the same odd answers in every run
    for number in range(40):
        found[f"output-{number}"] = Odd("Receive", _other_output(_spoiled(chance.randrange(2**32))))
    for name, output in _outputs().items():
        found[f"output-{name}"] = Odd("Receive", _other_output(output))
    return found


def _http(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    lines = [
        f"HTTP/1.1 {status}", f"Date: {formatdate(usegmt=True)}", "Content-Type: application/soap+xml;charset=UTF-8",
        f"Content-Length: {len(body) if length is None else length}", "Connection: close", *headers,
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _whole() -> dict[str, Callable[[bytes], bytes]]:
    refused = "500 Internal Server Error"
    return {
        "html": lambda _: _http(b"<html><body>hello</body></html>"),
        "torn html": lambda _: _http(b"<html><body>hello<br></body>"),
        "text": lambda _: _http(b"not xml at all"),
        "empty": lambda _: _http(b""),
        "hang up": lambda _: b"",
        "no http": lambda _: b"SSH-2.0-OpenSSH_9.2\r\n",
        "torn chunk": lambda _: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nabc",
        "no chunk": lambda _: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        "bad gzip": lambda _: _http(b"no gzip", "200 OK", "Content-Encoding: gzip"),
        "torn gzip": lambda good: _http(gzip.compress(good)[:-20], "200 OK", "Content-Encoding: gzip"),
        "nul": lambda good: _http(good.replace(b"<s:Body>", b"<s:Body>\x00")),
        "latin1": lambda good: _http(good.replace(b"<s:Body>", "<s:Body>für".encode("latin-1"))),
        "latin1 fault": lambda _: _http(_fault_body(5).replace(b">text<", ">Zugriff für<".encode("latin-1")), refused),
        "utf16": lambda good: _http(good.decode().encode("utf-16")),
        "other id": lambda good: _http(re.sub(rb"uuid:[0-9A-Fa-f-]{36}", b"uuid:nobody", good)),
        "no body": lambda good: _http(re.sub(rb"<s:Body>.*</s:Body>", b"<s:Body></s:Body>", good, flags=re.DOTALL)),
        "no envelope": lambda _: _http(b"<a/>"),
        "odd date": lambda good: _http(good).replace(b"Date: ", b"Date: gestern, "),
        "redirect": lambda _: _http(b"", "302 Found", "Location: https://localhost:1/wsman"),
        "not modified": lambda _: b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n",
        "400": lambda _: _http(b"bad", "400 Bad Request"),
        "404": lambda _: _http(b"not here", "404 Not Found"),
        "413": lambda _: _http(b"large", "413 Too Large"),
        "500 text": lambda _: _http(b"x", refused),
        "500 empty": lambda _: _http(b"", refused),
        "500 xml": lambda _: _http(b"<a/>", refused),
        "500 odd code": lambda _: _http(_fault_body(5).replace(b'Code="5"', b'Code="five"'), refused),
        "503": lambda _: _http(b"busy", "503 Service Unavailable"),
        "999": lambda _: _http(b"what", "999 What"),
        "401 late": lambda _: _http(b"", "401 Unauthorized"),
        "long header": lambda good: _http(good, "200 OK", f"X-Long: {'x' * 70_000}"),
        "negative length": lambda good: _http(good, length=-5),
    }


def _cut(tenth: int) -> Callable[[bytes], bytes]:
    def raw(good: bytes) -> bytes:
        whole = _http(good)
        return whole[: len(whole) * tenth // 10]

    return raw


def _fault(code: int) -> Callable[[bytes], bytes]:
    return lambda _: _http(_fault_body(code), "500 Internal Server Error")


def _fault_body(code: int) -> bytes:
    return (
        f"<s:Envelope {_SPACES}><s:Header/><s:Body><s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode>"
        '<s:Value>w:InternalError</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="de-DE">text</s:Text>'
        '</s:Reason><s:Detail><f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" '
        f'Code="{code}" Machine="x"><f:Message>text</f:Message></f:WSManFault></s:Detail></s:Fault></s:Body>'
        "</s:Envelope>"
    ).encode()


def _other_output(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def encoded(found: re.Match[bytes]) -> bytes:
        return found[1] + base64.b64encode(change(base64.b64decode(found[2]))) + found[3]

    return lambda good: _http(_STREAM.sub(encoded, good))


def _spoiled(seed: int) -> Callable[[bytes], bytes]:
    """A change of some bytes of the output, or a part of it that is missing."""

    def change(output: bytes) -> bytes:
        chance = random.Random(seed)  # noqa: S311
        begin = chance.randrange(len(output))
        if seed % 2:
            return output[:begin] + output[begin + chance.randrange(400) :]
        return output[:begin] + bytes(chance.randrange(256) for _ in range(8)) + output[begin + 8 :]

    return change


def _outputs() -> dict[str, Callable[[bytes], bytes]]:
    return {
        "empty": lambda _: b"",
        "torn task": lambda output: output.replace(b"</Task>", b"<x></Task>"),
        "no task": lambda output: output.replace(b"<Task ", b"<Tusk "),
        "task without an end": lambda output: output.replace(b"</Task>", b""),
        "not utf8": lambda _: b"\xff\xfe\x00@end\n",
        "no end": lambda output: output.replace(b"@end", b"@and"),
        "only an end": lambda _: b"@end\r\n",
        "another access list": lambda output: output.replace(b"CERTIFICATE-----", b"CERTIFICATE-----\r\n!!!!"),
        "help text": lambda _: b"Der Befehl ist falsch geschrieben.\r\n" * 400,
    }


class OddFleet(Fleet):
    """The PCs' answers, each by its user's name."""

    def __init__(self, recorded: bytes) -> None:
        super().__init__("", "", recorded)
        self.odd = odd_answers()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until it ends."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                request = await reader.readexactly(int(_found(_LENGTH, head)))
                if await self._answer(_user(head), request, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    async def _answer(self, user: str, request: bytes, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection ends."""
        action = _found(_ACTION, request).decode()
        odd = self.odd.get(user)
        if user == "refuses":
            raw, ends = _http(b"", "401 Unauthorized"), True
        elif user == "silent" and action not in {"Create", "Command"}:
            await asyncio.sleep(3600)
            return True
        elif user == "never" and action == "Receive":
            # As Windows: each request waits for as long as its sender said.
            await asyncio.sleep(float(_found(re.compile(rb"<w:OperationTimeout>PT(\d+)S<"), request)))
            raw, ends = _http(_fault_body(TIMED_OUT), "500 Internal Server Error"), True
        elif odd is not None and odd.action == action:
            raw, ends = odd.raw(self.body(request)), True
        else:
            raw, ends = _http(self.body(request)).replace(b"Connection: close\r\n", b""), False
        pieces = [raw[at : at + 1] for at in range(len(raw))] if user == "drips" and action == "Receive" else [raw]
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            if len(pieces) > 1:
                await asyncio.sleep(1)
        return ends


def _user(head: bytes) -> str:
    try:
        return base64.b64decode(_found(_USER, head)).decode().partition(":")[0]
    except (ValueError, binascii.Error):
        return ""


@contextmanager
def serving(fleet: OddFleet, certificate: Path) -> Iterator[int]:
    """Serve the PCs in a thread of this process; give their port.

    Args:
        fleet: the PCs.
        certificate: a PEM file with certificate and key for localhost.
    """
    _allow_connections()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    loop = asyncio.new_event_loop()
    begun = threading.Event()
    ports: list[int] = []

    async def run() -> None:
        server = await asyncio.start_server(fleet.serve, "127.0.0.1", 0, ssl=context, backlog=512)
        ports.append(server.sockets[0].getsockname()[1])
        begun.set()
        await asyncio.Event().wait()

    def until_cancelled() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        finally:
            for other in asyncio.all_tasks(loop):
                other.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    task = loop.create_task(run())
    thread = threading.Thread(target=until_cancelled, daemon=True)
    thread.start()
    begun.wait()
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
