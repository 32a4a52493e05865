# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of several scenarios do alike: run a playbook once more, as the administrator does, and wait."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

REPOSITORY = Path(__file__).parents[1]
ENVIRONMENT = {
    **os.environ,
    "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"),
    # Molecule colours its own output, and what it starts, where nobody looks at a screen.
    "ANSIBLE_FORCE_COLOR": "0",
    "ANSIBLE_NOCOLOR": "1",
}
Answer = TypeVar("Answer")
PATIENCE = 180
"""Seconds that a test waits for what comes in a few on a quiet machine; only what hangs takes all of them."""


@dataclass(frozen=True)
class Played:
    """What came of a playbook.

    Attributes:
        seconds: how long it took, Ansible's own start included.
    """

    returncode: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def said(self) -> str:
        """All that it printed, as one line: a message may be broken anywhere."""
        return re.sub(r"\s+", " ", self.stdout + self.stderr)


def command(book: Path, *options: str, inventory: Path | None = None, **variables: Any) -> list[str]:
    """The command that runs a playbook with these extra variables, on the scenario's hosts where no other are given."""
    hosts = str(inventory or os.environ["MOLECULE_INVENTORY_FILE"])
    return ["ansible-playbook", "-i", hosts, "-e", json.dumps(variables), *options, str(book)]


def played(
    book: Path,
    *options: str,
    inventory: Path | None = None,
    environment: Mapping[str, str] = ENVIRONMENT,
    **variables: Any,
) -> Played:
    """Run a playbook and return what came of it, failed or not."""
    began = time.monotonic()
    line = command(book, *options, inventory=inventory, **variables)
    done = subprocess.run(line, check=False, capture_output=True, text=True, env=environment)
    return Played(done.returncode, done.stdout, done.stderr, time.monotonic() - began)


def wait_until(question: Callable[[], Answer], what: str, seconds: float = PATIENCE) -> Answer:
    """Ask again until the answer is true, and return it.

    Raises:
        AssertionError: when it takes longer; the message says what was waited for.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := question():
            return answer
        time.sleep(0.5)
    raise AssertionError(f"not within {seconds} s: {what}")
