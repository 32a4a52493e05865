# SPDX-License-Identifier: GPL-3.0-or-later
"""Green steps of earlier runs, that need no second one while nothing that they depend on has changed.

What a step depends on: rooms of the checkout (testbed/rooms.py), the machine with its packages, and the environment's
variables that Ansible, pytest and the test bed read. Decision 0023.
"""

import contextlib
import hashlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from testbed import rooms
from testbed.images.build import ImageError, tag
from testbed.paths import CACHE, REPOSITORY

FOLDER = CACHE / "passes"
HOURS = 24
"""For so long a pass is taken over: packages that hosts take from their mirror change, and nobody here sees it."""
PACKAGES = Path("/var/lib/dpkg/status")
PREFIXES = ("ANSIBLE_", "FACILITY_", "MOLECULE_", "PYTEST_")
SET_BY_MAKE = "ANSIBLE_CONFIG"


@dataclass(frozen=True)
class Pass:
    """A green step.

    Attributes:
        step: its name.
        machine: the digest of all that it depended on besides the checkout.
        rooms: the digest of each room that it depended on.
        at: when it ended, seconds since the epoch.
        passed: how many of its tests passed; skipped likewise.
    """

    step: str
    machine: str
    rooms: dict[str, str]
    at: float
    passed: int
    skipped: int = 0


def machine(environment: Mapping[str, str] = os.environ) -> str:
    """Return the digest of what a step depends on besides the checkout: this machine, its packages, the environment."""
    settings = {name: value for name, value in environment.items() if name.startswith(PREFIXES)}
    if settings.get(SET_BY_MAKE) == str(REPOSITORY / "ansible.cfg"):
        del settings[SET_BY_MAKE]
    facts = [*platform.uname(), sys.version, json.dumps(settings, sort_keys=True), *_images()]
    digest = hashlib.sha256("\0".join(facts).encode())
    with contextlib.suppress(FileNotFoundError):
        digest.update(PACKAGES.read_bytes())
    return digest.hexdigest()


def _images() -> Iterable[str]:
    """Yield the images' tags: beside the test bed's files they depend on the machine's package sources."""
    for name in ("debian12", "debian13"):
        with contextlib.suppress(ImageError):
            yield tag(name)


class Passes:
    """What is known of earlier runs, as seen from the checkout as it is when this is made."""

    def __init__(
        self, folder: Path = FOLDER, checkout: Path = REPOSITORY, clock: Callable[[], float] = time.time
    ) -> None:
        self._folder, self._checkout, self._clock = folder, checkout, clock
        self._machine = machine()
        self._digests = rooms.digests(checkout)

    def known(self, step: str) -> Pass | None:
        """Return the newest pass of a step that still holds; None where something changed or it is too long ago."""
        found = [earlier for _, earlier in self._all(step) if self._holds(earlier)]
        return max(found, key=lambda earlier: earlier.at, default=None)

    def keep(self, earlier: Pass) -> bool:
        """Write a pass down, unless the checkout was edited meanwhile; return whether it was."""
        now = rooms.digests(self._checkout)
        if not earlier.rooms or any(now.get(room) != digest for room, digest in earlier.rooms.items()):
            return False
        for path, old in self._all(earlier.step):
            if not self._fresh(old):
                path.unlink(missing_ok=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(earlier), indent=1)
        key = hashlib.sha256(json.dumps([earlier.machine, earlier.rooms], sort_keys=True).encode()).hexdigest()[:16]
        (half := self._folder / f"{_slug(earlier.step)}.{key}.{os.getpid()}.half").write_text(text + "\n")
        half.replace(self._folder / f"{_slug(earlier.step)}.{key}.json")
        return True

    def note(self, step: str, names: Iterable[str], *, passed: int, skipped: int) -> bool:
        """Keep a pass of now for a step that depends on these rooms, as they were when the run began."""
        seen = {name: self._digests.get(name, "") for name in names}
        return self.keep(Pass(step, self._machine, seen, self._clock(), passed, skipped))

    @property
    def rooms(self) -> set[str]:
        """The names of all rooms of the checkout."""
        return set(self._digests) - {rooms.ALL, rooms.SITE, rooms.REST}

    def _all(self, step: str) -> Iterable[tuple[Path, Pass]]:
        for path in sorted(self._folder.glob(f"{_slug(step)}.*.json")):
            # What can't be read, for it is half there or of another version of this file, is no pass.
            with contextlib.suppress(OSError, ValueError, TypeError):
                yield path, Pass(**json.loads(path.read_text()))

    def _holds(self, earlier: Pass) -> bool:
        same = all(self._digests.get(room) == digest for room, digest in earlier.rooms.items())
        return same and bool(earlier.rooms) and earlier.machine == self._machine and self._fresh(earlier)

    def _fresh(self, earlier: Pass) -> bool:
        # A pass from the future was written by a clock that was wrong, then or now.
        return 0 <= self._clock() - earlier.at <= HOURS * 3600


def _slug(step: str) -> str:
    return step.replace(":", "").replace(" ", "-")
