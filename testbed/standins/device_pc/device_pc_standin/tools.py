# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve the Windows tools that Wine lacks: windows/tool.c carries each call here over the PC's own loopback."""

import socketserver
import struct
from collections.abc import Callable
from pathlib import Path

from . import answers, certutil, find_lines, icacls, local_groups, schtasks
from .answers import Answer, Call
from .tasks import Scheduler

PORT = 5949
ACCESS_DENIED = "Zugriff verweigert\r\n"


def table(scheduler: Scheduler) -> dict[str, Callable[[Call], Answer]]:
    """Return what each tool does."""
    return {
        "adsi": local_groups.run,
        "certutil": certutil.run,
        "find": find_lines.find,
        "findstr": find_lines.findstr,
        "icacls": icacls.run,
        "schtasks": lambda call: schtasks.run(call, scheduler),
        "timeout": wait,
    }


def wait(call: Call) -> Answer:
    """Do what timeout does: over WinRM it refuses, as its standard input is no console."""
    del call
    return Answer(1, err="FEHLER: Die Eingabeumleitung wird nicht unterstützt, der Prozess wird sofort beendet.\r\n")


class Handler(socketserver.StreamRequestHandler):
    """One call."""

    server: "ToolServer"

    def handle(self) -> None:
        """Read the call, do it, and send what comes of it."""
        name, folder, line = (self._block().decode() for _ in range(3))
        try:
            answer = self._answer(name, Call(folder, answers.split(line)[1:], self._stdin))
        except Exception as error:  # whoever called must see that this program is at fault
            answer = Answer(1, err=f"stand-in: {name}: {type(error).__name__}: {error}\r\n")
            print(f"{line}: {error!r}", flush=True)
        for kind, text in ((1, answer.out), (2, answer.err)):
            if text:
                self._frame(kind, text.encode())
        if answer.raw:
            self._frame(4, answer.raw)
        self._frame(0, str(answer.code & 0xFFFFFFFF).encode())

    def _answer(self, name: str, call: Call) -> Answer:
        # What the tools here do, Windows lets administrators do; nobody else calls them in this project.
        if _caller(self.client_address[1]) != 0:
            return Answer(5, err=ACCESS_DENIED)
        return self.server.tools[name](call)

    def _block(self) -> bytes:
        (size,) = struct.unpack("<i", self.rfile.read(4))
        return self.rfile.read(size)

    def _stdin(self) -> bytes:
        self._frame(3, b"")
        return self._block()

    def _frame(self, kind: int, data: bytes) -> None:
        self.wfile.write(struct.pack("<Bi", kind, len(data)) + data)


class ToolServer(socketserver.ThreadingTCPServer):
    """Listens on loopback."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, scheduler: Scheduler) -> None:
        self.tools = table(scheduler)
        super().__init__(("127.0.0.1", PORT), Handler)


def _caller(port: int) -> int | None:
    """Return the Unix account that has the other end of a connection over loopback."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1] == f"0100007F:{port:04X}":
            return int(fields[7])
    return None
