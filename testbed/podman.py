# SPDX-License-Identifier: GPL-3.0-or-later
"""A thin port to podman: every call of the test bed passes here."""

import json
import os
import subprocess
from typing import Any

from testbed.paths import CONTAINERS_CONF

LABEL = "org.facility-as-code.testbed"
"""Every container, network and image of the test bed carries it; nothing without it is ever touched."""


class PodmanError(Exception):
    """Podman refused; the message is the command and what podman said."""


def environment() -> dict[str, str]:
    """Return the environment in which podman finds the test bed's settings (runc, cgroupfs, netavark)."""
    return {**os.environ, "CONTAINERS_CONF": str(CONTAINERS_CONF)}


def podman(*arguments: str, stdin: str | None = None, check: bool = True, timeout: float = 300) -> str:
    """Run podman and return its standard output.

    Raises:
        PodmanError: when it exits with another status than 0 and ``check`` is set, or takes longer than ``timeout`` s.
    """
    command = ["podman", *arguments]
    try:
        # No standard input of our own: `podman exec -i` would swallow that of a calling script.
        source: dict[str, Any] = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment(), timeout=timeout, check=False, **source
        )
    except subprocess.TimeoutExpired as error:
        raise PodmanError(f"{' '.join(command[:4])} … did not answer within {timeout:.0f} s") from error
    if check and done.returncode:
        raise PodmanError(f"{' '.join(command)}\n{done.stderr.strip() or done.stdout.strip()}")
    return str(done.stdout)


def inspect(kind: str, names: list[str]) -> dict[str, dict[str, Any]]:
    """Return what podman knows of each named container, network or image; unknown ones are left out."""
    found: dict[str, dict[str, Any]] = {}
    if not names:
        return found
    # One call for all; when one is unknown podman still prints the others.
    text = podman(kind, "inspect", *names, check=False)
    for entry in json.loads(text or "[]"):
        found[str(entry.get("Name") or entry.get("name"))] = entry
    return found
