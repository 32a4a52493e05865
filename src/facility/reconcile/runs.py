# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks as ansible-runner runs them: the port. Nothing of a run stays on disk, for it can hold secrets."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .events import Looked

_COLOUR = re.compile("\x1b\\[[0-9;]*m")
_LONGEST = 400


class RunError(Exception):
    """A playbook could not be run at all; the message says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where playbooks run: the checkout, the inventory's hosts file, and how many seconds one playbook may take."""

    checkout: Path
    inventory: Path
    seconds: int


def run(place: Place, playbook: str, options: Sequence[str]) -> Looked:
    """Run a playbook and return what it showed.

    Args:
        place: Where.
        playbook: Its name below playbooks/, without .yml.
        options: Further words of ansible-playbook, as --check.

    Raises:
        RunError: It did not begin, or was ended because it took too long.
    """
    import ansible_runner  # noqa: PLC0415 - takes a moment, and tests of the rest need it not

    looked = Looked(playbook)
    words: list[str] = []

    def take(event: dict[str, Any]) -> bool:
        looked.see(event)
        if event.get("event") == "verbose":
            # What ansible-playbook says beside its tasks: why it did not begin.
            words.extend(_COLOUR.sub("", str(event.get("stdout", ""))).split())
        return False

    scratch = Path(tempfile.mkdtemp(prefix="reconcile-"))
    try:
        done = ansible_runner.run(
            private_data_dir=str(scratch),
            project_dir=str(place.checkout),
            playbook=f"playbooks/{playbook}.yml",
            inventory=str(place.inventory),
            cmdline=" ".join(options),
            envvars=_environment(place),
            event_handler=take,
            finished_callback=lambda _runner: None,
            quiet=True,
            suppress_env_files=True,
            suppress_output_file=True,
            timeout=place.seconds,
        )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if done.status in {"timeout", "canceled"}:
        raise RunError(f"playbooks/{playbook}.yml was ended after {place.seconds} s")
    if not (looked.tasks or looked.unreachable or looked.empty):
        raise RunError(f"playbooks/{playbook}.yml looked at nothing: {' '.join(words)[-_LONGEST:] or done.status}")
    return looked


def _environment(place: Place) -> dict[str, str]:
    return {
        "ANSIBLE_CONFIG": str(place.checkout / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
        # Else a broken inventory is a warning, and nothing is compared with it.
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        # Nothing typed can be asked for at night.
        "PATH": os.environ.get("PATH", ""),
    }
