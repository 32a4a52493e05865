# SPDX-License-Identifier: GPL-3.0-or-later
"""Twenty files that are as they should be: one task of files_in_place beside twenty of Ansible's own template."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from testbed.paths import REPOSITORY
from tests.bench.figures import Figure

HERE = Path(__file__).parent
REPEATS = 3
NAME = "20 unchanged files of a host in one task (files_in_place)"
MOST_OF_BASELINE = 0.25


def figures(say: Callable[[str], None], inventory: Path, host: str, obstacle: str = "") -> list[Figure]:
    """Measure on a host of a running facility; whole commands, Ansible's start included.

    Args:
        say: prints a line of progress.
        inventory: of the host.
        host: its name.
        obstacle: why nothing can be measured, or "".
    """
    if obstacle:
        return [Figure(NAME, "s", 0, remark=obstacle)]
    say("20 unchanged files, in one task and in twenty")
    one, twenty = [], []
    # In turn, so that other work on the machine meets both.
    for round_ in range(REPEATS + 1):
        seconds = [_played(inventory, host, book) for book in ("files_in_one.yml", "files_in_twenty.yml")]
        if round_:  # the first round makes the files
            one.append(seconds[0])
            twenty.append(seconds[1])
    baseline = median(twenty)
    return [
        Figure(
            NAME, "s", MOST_OF_BASELINE * baseline, median(one), baseline, "20 tasks of template",
            median(one) / baseline, tuple(one),
        )
    ]  # fmt: skip


def _played(inventory: Path, host: str, book: str) -> float:
    began = time.monotonic()
    line = ["ansible-playbook", "-i", str(inventory), "--limit", host, str(HERE / book)]
    subprocess.run(line, cwd=REPOSITORY, check=True, capture_output=True)
    return time.monotonic() - began
