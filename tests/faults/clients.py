# SPDX-License-Identifier: GPL-3.0-or-later
"""People's programs: each writes one set in its own way, as its person, and may be killed at any moment."""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.faults.manifest import Manifest, Written

INSTRUMENT = "lightsheet"
NAMES = ("Zelle 1", "Größe µ", "a" * 120, "plain", "x.y.z", "untitled folder", 'it\'s "quoted" & $odd', "日本語")
BLOCK = 40_000


@dataclass
class Client:
    """One writer at work.

    Attributes:
        folder: the person's folder.
        manifest: where it notes what it writes.
        choice: its own source of chance.
        login, set: noted with each file; set is unique in a run.
        pause: seconds between two writes; shorter than the quiet time.
    """

    folder: Path
    manifest: Manifest
    choice: random.Random
    login: str
    set: str
    pause: float

    def content(self) -> bytes:
        return self.choice.randbytes(self.choice.randint(1, 5 * BLOCK))

    def note(self, name: str, content: bytes, state: str = "begun", sort: str = "image") -> None:
        self.manifest.add(Written(self.login, self.set, name, hashlib.sha256(content).hexdigest(), state, sort))

    def rest(self) -> None:
        time.sleep(self.choice.uniform(0, self.pause))

    def write(self, path: Path, *, sort: str = "image", name: str = "") -> None:
        """Like cp: open, write slowly, close."""
        content = self.content() if sort != "empty" else b""
        name = name or path.name
        self.note(name, content, sort=sort)
        with path.open("wb", buffering=0) as file:
            for place in range(0, len(content), BLOCK):
                file.write(content[place : place + BLOCK])
                self.rest()
        self.note(name, content, "complete", sort)

    def write_preset(self, path: Path) -> None:
        """Like Explorer: the final size first, an old time, then the blocks."""
        content = self.content() + self.choice.randbytes(3 * BLOCK)
        self.note(path.name, content)
        with path.open("wb", buffering=0) as file:
            file.truncate(len(content))
            os.utime(path, (1e9, 1e9))
            for place in range(0, len(content), BLOCK):
                file.seek(place)
                file.write(content[place : place + BLOCK])
                self.rest()
        os.utime(path, (1e9, 1e9))
        self.note(path.name, content, "complete")

    def write_appending(self, path: Path) -> None:
        """Like an instrument that opens, appends a plane, and closes."""
        content = self.content()
        self.note(path.name, content)
        for place in range(0, len(content), BLOCK):
            with path.open("ab", buffering=0) as file:
                file.write(content[place : place + BLOCK])
            self.rest()
        self.note(path.name, content, "complete")

    def title(self) -> str:
        return f"{self.choice.choice(NAMES)} {self.set}"


def tree(client: Client) -> None:
    top = client.folder / client.title()
    top.mkdir()
    sub = top / "sub ä"
    for number in range(client.choice.randint(1, 6)):
        if client.choice.random() < 0.3:
            sub.mkdir(exist_ok=True)
            client.write(sub / f"plane {number}.tif")
        else:
            client.write(top / f"plane {number}.tif")
    if client.choice.random() < 0.5:
        client.write(top / "notes.txt", sort="companion")
    if client.choice.random() < 0.3:
        client.write(top / "nothing.tif", sort="empty")


def loose(client: Client) -> None:
    client.write(client.folder / f"{client.title()}.tif")


def pair(client: Client) -> None:
    title = client.title()
    client.write(client.folder / f"{title}.ids")
    client.write(client.folder / f"{title}.ics")


def slide(client: Client) -> None:
    """Olympus cellSens: a head, and a folder that is found by the head's name; loosely, in either order."""
    title = client.title()
    folder = client.folder / f"_{title}_" / "stack1"

    def planes() -> None:
        folder.mkdir(parents=True)
        for number in range(client.choice.randint(1, 2)):
            client.write(folder / f"frame_t_{number}.ets")

    def head() -> None:
        client.write(client.folder / f"{title}.vsi")

    for part in client.choice.sample((planes, head), 2):
        part()


def plate(client: Client) -> None:
    """GE InCell: a head that gathers images of any names."""
    client.write(client.folder / f"{client.title()}.xdce")
    for number in range(client.choice.randint(1, 3)):
        client.write(client.folder / f"A - {number} {client.set}.tif")


def preset(client: Client) -> None:
    client.write_preset(client.folder / f"{client.title()}.czi")


def preset_tree(client: Client) -> None:
    top = client.folder / client.title()
    top.mkdir()
    # Every file gets its size first, as a client with several copies at once does.
    for number in range(client.choice.randint(1, 3)):
        client.write_preset(top / f"{number}.czi")


def appending(client: Client) -> None:
    client.write_appending(client.folder / f"{client.title()}.lif")


def partial(client: Client) -> None:
    path = client.folder / f"{client.title()}.nd2"
    client.write(path.with_name(path.name + ".part"), name=path.name)
    path.with_name(path.name + ".part").rename(path)


def sentinel(client: Client) -> None:
    shelf = client.folder / INSTRUMENT
    shelf.mkdir(exist_ok=True)
    top = shelf / client.title()
    top.mkdir()
    # Announced first: without the sentinel, none of these may be imported.
    client.note("end.done", b"sentinel of " + client.set.encode(), sort="companion")
    for number in range(client.choice.randint(1, 3)):
        client.write(top / f"{number}.tif")
        time.sleep(client.choice.uniform(0, 4 * client.pause))
    (top / "end.done").write_bytes(b"sentinel of " + client.set.encode())
    client.note("end.done", b"sentinel of " + client.set.encode(), "complete", "companion")


def symlink(client: Client) -> None:
    top = client.folder / client.title()
    top.mkdir()
    client.note("link", client.set.encode(), "complete", "refused")
    (top / "link.tif").symlink_to("/etc/passwd")
    client.write(top / "beside.tif")


def hard_link(client: Client) -> None:
    path = client.folder / f"{client.title()}.tif"
    client.write(path, sort="refused")
    os.link(path, path.with_name(f"{path.stem} twin.tif"))


def empty(client: Client) -> None:
    client.write(client.folder / f"{client.title()}.tif", sort="empty")


def again(client: Client) -> None:
    """The same name twice: the first one may be gone, waiting, or being taken at this moment."""
    top = client.folder / f"same {client.set}"
    for number in range(2):
        part = Client(
            client.folder, client.manifest, client.choice, client.login, f"{client.set}-{number}", client.pause
        )
        top.mkdir(exist_ok=True)
        try:
            part.write(top / f"{number}.tif")
        except FileNotFoundError:
            continue  # taken between the two lines
        time.sleep(client.choice.uniform(0, 8 * client.pause))


# How the set is written, and whether a killed writer can be told from one that is done.
SORTS: tuple[tuple[Callable[[Client], None], bool], ...] = (
    (tree, False), (loose, False), (pair, False), (slide, False), (plate, False), (preset, True), (preset_tree, False),
    (appending, False),
    (partial, True), (sentinel, True), (symlink, False), (hard_link, False), (empty, False), (again, False),
)  # fmt: skip


def start(sort: Callable[[Client], None], client: Client, person: int) -> int:
    """Run a client in a child process as its person; give the process's number."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.umask(0o077)
        os.setgroups([])
        os.setgid(person)
        os.setuid(person)
        sort(client)
        status = 0
    except BaseException as error:  # the child must end here
        os.write(2, f"{sort.__name__}: {error!r}\n".encode())
    finally:
        os._exit(status)
