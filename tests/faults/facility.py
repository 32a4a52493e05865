# SPDX-License-Identifier: GPL-3.0-or-later
"""A facility in one process for settle's tests: its folders, a clock that stands still, a monitor that obeys."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from facility.core.replace_file import replace_file
from facility.drive.settle.aside import PUT_ASIDE, is_explanation
from facility.drive.settle.config import Config
from facility.drive.settle.entries import NOTICE
from facility.drive.settle.service import Service

PERSON, OTHER = 30001, 30002
QUIET = 10


class StillClock:
    """Both clocks stand until they are told to go on; wall begins now, as file times do."""

    def __init__(self) -> None:
        self.now = time.time() + 1
        self.jump = 0.0

    def wall(self) -> float:
        return self.now + self.jump

    def steady(self) -> float:
        return self.now - 1e6


class Facility:
    """The folders of a test, settle in them, and a DropBox monitor that says what the test wants."""

    def __init__(self, base: Path, **settings: object) -> None:
        self.base = base
        for name in ("incoming", "staging", "DropBox", "quarantine", "state", "run"):
            (base / name).mkdir()
        self.config = Config(
            incoming=base / "incoming", staging=base / "staging", dropbox=base / "DropBox",
            quarantine=base / "quarantine", state_dir=base / "state", monitor_file=base / "run" / "w.json",
            asked_file=base / "run" / "a.json", metrics_file=base / "run" / "settle.prom", quiet_seconds=QUIET,
            **{"written_quiet_seconds": QUIET, "notice_after_seconds": 4, **settings},  # type: ignore[arg-type]
        )  # fmt: skip
        self.clock = StillClock()
        self.since = 0.0
        self.alive = True
        self.importing: list[str] = []
        self.imported: dict[str, list[str]] = {}
        self.person("aadler", PERSON)
        self.service = Service(self.config, self.clock)  # type: ignore[arg-type]
        self.service.engine.start()

    def person(self, login: str, number: int) -> Path:
        folder = self.base / "incoming" / login
        folder.mkdir()
        os.chown(folder, number, number)
        return folder

    def write(self, name: str, content: bytes = b"pixels", owner: int = PERSON, login: str = "aadler") -> Path:
        path = self.base / "incoming" / login / name
        for folder in reversed([p for p in path.parents if p.is_relative_to(self.base) and not p.exists()]):
            folder.mkdir()
            os.chown(folder, owner, owner)
        path.write_bytes(content)
        os.chown(path, owner, owner)
        return path

    def copied(self, name: str, content: bytes = b"pixels", **options: Any) -> Path:
        """A file as Explorer copies it: with the times of the one that was copied."""
        path = self.write(name, content, **options)
        os.utime(path, (1e9, 1e9))
        return path

    def own_folders(self) -> dict[str, list[str]]:
        """The sets of aadler in DropBox, each with its files."""
        found: dict[str, list[str]] = {}
        for path in self.dropbox:
            _, own, *below = path.split("/")
            found.setdefault(own, []).append("/".join(below))
        return found

    def take_in(self, *but: str) -> None:
        """Let OMERO import all of aadler's that it was given, but files with these endings."""
        for own, files in self.own_folders().items():
            self.imported[f"aadler/{own}"] = [name for name in files if not but or not name.endswith(but)]
        self.go()

    def report(self) -> None:
        document = {
            "time": self.clock.wall(),
            "alive": self.alive,
            "since": self.since,
            "watching": [folder.name for folder in (self.base / "DropBox").iterdir()],
            "importing": self.importing,
            "imported": self.imported,
        }
        replace_file(self.config.monitor_file, json.dumps(document), sync=False)

    def go(self, seconds: float = 0) -> None:
        """Let time pass and settle work."""
        for _ in range(2):
            self.service.turn()
        self.clock.now += seconds
        for _ in range(3):
            self.report()
            self.service.turn()
            self.clock.now += 0.3
        self.clock.now += 5
        self.report()
        self.service.turn()

    def restart(self) -> None:
        self.service.store.close()
        self.service = Service(self.config, self.clock)  # type: ignore[arg-type]
        self.service.engine.start()

    def tree(self, name: str) -> list[str]:
        """The files below one of the four folders; of incoming without notices and what was put aside."""
        top = self.base / name
        found = (p.relative_to(top) for p in top.rglob("*") if not p.is_dir() or p.is_symlink())
        return sorted(str(path) for path in found if PUT_ASIDE not in path.parts and path.name != NOTICE)

    def put_aside(self) -> list[str]:
        """What was put aside on the share, without the explanations."""
        top = self.base / "incoming"
        paths = [path.relative_to(top) for path in top.rglob("*") if not path.is_dir() or path.is_symlink()]
        return sorted(str(path) for path in paths if PUT_ASIDE in path.parts and not is_explanation(path.name))

    @property
    def dropbox(self) -> list[str]:
        return self.tree("DropBox")

    @property
    def notice(self) -> str:
        file = self.base / "incoming" / "aadler" / NOTICE
        return file.read_text("utf-8-sig") if file.exists() else ""

    def states(self) -> dict[str, str]:
        return {record.name: record.state for record in self.service.store.all()}

    def aside(self) -> str:
        """All explanations of what was put aside."""
        return "".join(path.read_text("utf-8-sig") for path in sorted(self.base.rglob("*.reason.txt")))
