# SPDX-License-Identifier: GPL-3.0-or-later
"""People at their computers: each writes sets over SMB, one after the other, and may be killed at any moment.

Whoever is broken off leaves what there is and goes on with another set, so that no content is ever sent twice by
different names; only the instrument, which announces its sets, sends a file again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import re
import struct
import subprocess
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.host import NAME, Host
from tests.faults.layout import REPOSITORY
from tests.faults.manifest import Manifest, Written

PASSWORDS = REPOSITORY / "build" / "demo-passwords"
INSTRUMENT = "lightsheet"
NAMES = ("Zelle 1", "Größe µ", "plain", "x.y.z", "untitled folder", "日本語")
BLOCK = 64 * 1024
_PUT = re.compile(r"^putting file (\S+) as .*\(.*kb/s\)", re.MULTILINE)


def png(choice: random.Random, side: int) -> bytes:
    """A valid PNG of noise, side * side pixels; no two are alike."""
    rows = b"".join(b"\0" + choice.randbytes(side) for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@dataclass(eq=False)
class Person:
    """One person with one computer.

    Attributes:
        login: who.
        host: where the share is.
        manifest: where it notes what it writes.
        choice: its own source of chance.
        pause: seconds between two sets, at most.
        stop: set when no further set is to be begun.
        title: the campaign's, in the names of all sets.
        broken: how many sets were broken off, and how.
        failure: what ended this program itself.
    """

    login: str
    host: Host
    manifest: Manifest
    choice: random.Random
    pause: float
    stop: threading.Event
    title: str
    broken: Counter[str] = field(default_factory=Counter)
    failure: str = ""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._count = 0
        self.user = self.host.number_of(self.login)
        self._password = (PASSWORDS / self.login).read_text().strip()

    def run(self) -> None:
        """Write sets until told to stop."""
        with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
            self._local = Path(folder)
            self.smb(f'mkdir "{self.login}/{INSTRUMENT}"')
            while not self.stop.is_set():
                self._count += 1
                try:
                    self.choice.choice(SORTS)(self)
                except Exception as error:  # the campaign must hear of it, whatever it is
                    self.failure = f"{self.login}'s computer: {error!r}"
                    return
                for file in self._local.iterdir():
                    file.unlink()
                self.stop.wait(self.choice.uniform(0, self.pause))

    def kill(self) -> bool:
        """SIGKILL the client if it is at work."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                return False
            self._process.kill()
            return True

    # What its programs do.

    @property
    def written_set(self) -> str:
        """The present set's name, also in the manifest."""
        return f"{self.login} {self.title} {self._count}"

    def new_name(self) -> str:
        return f"{self.choice.choice(NAMES)} {self.written_set}"

    def file(self, content: bytes) -> Path:
        """Content as a file of this person's disk."""
        path = self._local / hashlib.sha256(content).hexdigest()[:20]
        path.write_bytes(content)
        return path

    def note(self, name: str, content: bytes, state: str = "begun", sort: str = "image", *, alone: bool = True) -> None:
        """Note a file; alone: nobody promises that it comes with the others of its set."""
        of = f"{self.written_set}: {name}" if alone else self.written_set
        self.manifest.add(Written(self.login, of, name, hashlib.sha256(content).hexdigest(), state, sort))

    def smb(self, command: str, feed: Iterable[bytes] = ()) -> tuple[bool, set[str]]:
        """Run smbclient: whether all went well, and which local files it says it has put."""
        with self._lock:
            self._process = process = subprocess.Popen(
                ["smbclient", f"//{NAME}/dropbox", f"--user=IMAGING\\{self.login}", "--client-protection=encrypt", "-c",
                 command],
                env={**os.environ, "PASSWD": self._password}, cwd=self._local, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        assert process.stdin
        with contextlib.suppress(BrokenPipeError):
            for block in feed:
                process.stdin.write(block)
                process.stdin.flush()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.stdin = None
        output = process.communicate()[0].decode(errors="replace")
        good = process.returncode == 0 and "NT_STATUS" not in output
        return good, set(_PUT.findall(output))

    def ended(self, sort: str, good: bool) -> None:
        if not good:
            self.broken[sort] += 1


def folder(person: Person) -> None:
    """A folder of images, copied at once; some have a companion."""
    name = person.new_name()
    files = [
        (f"zelle {number}.png", png(person.choice, person.choice.randint(40, 500)), "image")
        for number in range(person.choice.randint(1, 4))
    ]
    if person.choice.random() < 0.4:
        files.append(("notes.txt", person.written_set.encode(), "companion"))
    commands = [f'mkdir "{person.login}/{name}"']
    for title, content, sort in files:
        person.note(title, content, sort=sort)
        commands.append(f'put {person.file(content).name} "{person.login}/{name}/{title}"')
    good, put = person.smb("; ".join(commands))
    for title, content, sort in files:
        if person.file(content).name in put:
            person.note(title, content, "complete", sort)
    person.ended("folder", good)


def loose(person: Person) -> None:
    """One file in the person's folder."""
    name, content = f"{person.new_name()}.png", png(person.choice, person.choice.randint(40, 700))
    person.note(name, content)
    local = person.file(content).name
    good, put = person.smb(f'put {local} "{person.login}/{name}"')
    if local in put:
        person.note(name, content, "complete")
    person.ended("loose", good)


def slow(person: Person) -> None:
    """One file, written for longer than the quiet time."""
    # smbclient sends what it reads in pieces of 8 MB: half of a big one is there before its end.
    side = person.choice.randint(300, 1500) if person.choice.random() < 0.6 else person.choice.randint(3500, 4500)
    name, content = f"{person.new_name()}.png", png(person.choice, side)
    person.note(name, content)
    pieces = person.choice.randint(4, 10)
    size = len(content) // pieces + 1

    def blocks() -> Iterable[bytes]:
        for place in range(0, len(content), size):
            yield content[place : place + size]
            time.sleep(person.choice.uniform(0, 2))

    good, put = person.smb(f'put - "{person.login}/{name}"', blocks())
    if "-" in put and good:
        person.note(name, content, "complete")
    person.ended("slow", good)


def pair(person: Person) -> None:
    """An image of two files, by a program that renames what it has written whole."""
    name = person.new_name()
    files = {f"{name}.ids": person.choice.randbytes(person.choice.randint(1000, 2_000_000))}
    files[f"{name}.ics"] = f"ics_version\t1.0\nfilename\t{name}\n".encode()
    commands, renames = [], []
    for title, content in files.items():
        person.note(title, content, alone=False)
        commands.append(f'put {person.file(content).name} "{person.login}/{title}.part"')
        renames.append(f'rename "{person.login}/{title}.part" "{person.login}/{title}"')
    good, put = person.smb("; ".join(commands))
    good = good and len(put) == 2 and person.smb("; ".join(renames))[0]
    if good:
        for title, content in files.items():
            person.note(title, content, "complete", alone=False)
    person.ended("pair", good)


def planes(person: Person) -> None:
    """MetaMorph: a head and planes that are found by its name, loosely in the person's folder, one after the other."""
    name = f"planes {person.written_set}"
    files = {f"{name}.nd": f'"NDInfoFile", Version 1.0\n{name}\n'.encode()}
    for number in range(person.choice.randint(1, 3)):
        files[f"{name}_w1DAPI_t{number}.tif"] = png(person.choice, person.choice.randint(40, 300))
    for title, content in files.items():
        # Not before: where nothing of a file has come, nobody can know that it was to come.
        person.note(title, content, alone=False)
        local = person.file(content).name
        if local not in person.smb(f'put {local} "{person.login}/{title}"')[1]:
            person.ended("planes", False)
            return
        time.sleep(person.choice.uniform(0, 1))
    for title, content in files.items():
        person.note(title, content, "complete", alone=False)


def many(person: Person) -> None:
    """More files at once than OMERO is given at a time, each a set by itself."""
    commands, contents = [], {}
    for number in range(person.choice.randint(5, 8)):
        title, content = f"{number} {person.written_set}.png", png(person.choice, 40)
        contents[person.file(content).name] = (title, content)
        person.note(title, content)
        commands.append(f'put {person.file(content).name} "{person.login}/{title}"')
    good, put = person.smb("; ".join(commands))
    for local in put & contents.keys():
        person.note(*contents[local], "complete")
    person.ended("many", good)


def instrument(person: Person) -> None:
    """A set that is announced by its sentinel; what breaks off is sent again."""
    name = person.new_name()
    top = f"{person.login}/{INSTRUMENT}/{name}"
    files = [(f"{number}.png", png(person.choice, person.choice.randint(40, 400)), "image") for number in range(2)]
    files.append(("end.done", b"sentinel of " + person.written_set.encode(), "companion"))
    for title, content, sort in files:
        person.note(title, content, sort=sort, alone=False)
    for title, content, sort in files:
        local = person.file(content).name
        for _ in range(20):
            # The folder may be there already; putting into it tells.
            if local in person.smb(f'mkdir "{top}"; put {local} "{top}/{title}"')[1]:
                break
            person.broken["instrument, sent again"] += 1
            time.sleep(2)
        else:
            return
        person.note(title, content, "complete", sort, alone=False)
        time.sleep(person.choice.uniform(0, 2))


def preset(person: Person) -> None:
    """As Explorer does, but on the host: the final size first, then the blocks. Half of them die on the way."""
    name, content = f"{person.new_name()}.png", png(person.choice, person.choice.randint(500, 1500))
    dies = person.choice.random() < 0.5
    person.note(name, content)
    path = person.host.path(f"/OMERO/incoming/{person.login}/{name}")
    with path.open("wb", buffering=0) as file:
        os.fchown(file.fileno(), person.user, person.user)
        file.truncate(len(content))
        for place in range(0, len(content), BLOCK):
            if dies and place > len(content) // 2:
                person.broken["preset, died"] += 1
                return
            file.write(content[place : place + BLOCK])
            time.sleep(person.choice.uniform(0, 0.6))
    person.note(name, content, "complete")


SORTS: tuple[Callable[[Person], None], ...] = (
    folder, folder, loose, slow, slow, slow, pair, planes, planes, many, instrument, preset,
)  # fmt: skip
