# SPDX-License-Identifier: GPL-3.0-or-later
"""What roles ask of a host before anything else, from files and one call of dpkg: no state, no Ansible."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypedDict

PACKAGES = ("dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package}\n")
"""The call whose answer ``installed`` reads."""


class HostError(Exception):
    """A host answers otherwise than Debian does; the message says what is missing."""


class HostFacts(TypedDict):
    """Facts by the names that Ansible gives them; installed_packages is ours.

    Keys:
        architecture: the kernel's name of it, as x86_64.
        distribution: as Debian.
        distribution_major_version: as 12.
        installed_packages: names of all packages that are installed whole, sorted.
        memtotal_mb: the host's memory in MiB.
        processor_nproc: processors that a process may use.
    """

    architecture: str
    distribution: str
    distribution_major_version: str
    installed_packages: list[str]
    memtotal_mb: int
    processor_nproc: int


def facts(os_release: str, meminfo: str, packages: str, *, processors: int, architecture: str) -> HostFacts:
    """Return the facts of a host.

    Args:
        os_release: /etc/os-release.
        meminfo: /proc/meminfo.
        packages: what PACKAGES prints.
        processors: that a process may use.
        architecture: as the kernel names it.

    Raises:
        HostError: when one of the files is not what it should be.
    """
    release = _assignments(os_release)
    memory = re.search(r"^MemTotal: +(\d+) kB$", meminfo, re.MULTILINE)
    if "NAME" not in release or memory is None:
        raise HostError("/etc/os-release or /proc/meminfo is not as on Debian: install Debian on the host")
    return {
        "architecture": architecture,
        # "Debian GNU/Linux": Ansible takes the first word.
        "distribution": release["NAME"].split()[0],
        "distribution_major_version": release.get("VERSION_ID", "").partition(".")[0],
        "installed_packages": installed(packages),
        "memtotal_mb": int(memory[1]) // 1024,
        "processor_nproc": processors,
    }


def installed(packages: str) -> list[str]:
    """Return the names of packages that are installed whole, sorted, from what PACKAGES prints."""
    rows = (row.partition(" ") for row in packages.splitlines())
    return sorted({name for status, _, name in rows if status == "installed"})


def _assignments(text: str) -> Mapping[str, str]:
    rows = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name: value.strip().strip("\"'") for name, _, value in rows}
