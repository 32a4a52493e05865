# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is like now: its ports are asked, its files read, and apt asked what it would do."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from ...core.served_certificate import all_on_disk, on_disk, served, validity
from .config import Config
from .ends import Disk, Observed, Release, Updates

_SECURITY = re.compile(r"^Inst (?P<name>\S+) .*(?:-security|Debian-Security)", re.MULTILINE)
_ANY = re.compile(r"^Inst (\S+) ", re.MULTILINE)
_APT_SECONDS = 120
# Those whose device is no path; all others with a path are on a disk.
_DISKS = frozenset({"zfs", "btrfs", "overlay"})
_FULL_BY_NATURE = frozenset({"erofs", "iso9660", "squashfs", "udf"})
# The last one that Debian itself names; further support is bought from others.
_ENDS = ("eol-lts", "eol")


def observed(config: Config, now: float, since: float | None) -> Observed:
    """All that is told about a host.

    Args:
        config: What to look at.
        now: The time, in seconds since 1970.
        since: Since when each look has found a security update; None if the last one found none.

    Raises:
        CertificateError: The host's certificate or its authority's can't be read.
        OSError: A file or apt can't be read.
    """
    expected = on_disk(config.certificate) if config.ports else b""
    ports = tuple(
        served(one.address or config.name, config.name, one.port, one.start, expected) for one in config.ports
    )
    # A host of which nobody asks for TLS has neither.
    authority = min(validity(one)[1] for one in all_on_disk(config.authority)) if config.authority.exists() else None
    return Observed(
        now,
        ports,
        disks(config.mounts),
        authority,
        release(config.os_release, config.releases),
        updates(config, now, since),
    )


def disks(mounts: Path) -> tuple[Disk, ...]:
    """The file systems on disks; one that is mounted at several places counts at the first.

    Raises:
        OSError: The list of mounts can't be read.
    """
    found: dict[int, Disk] = {}
    for line in mounts.read_text(encoding="utf-8").splitlines():
        device, place, kind = line.split(" ")[:3]
        if kind in _FULL_BY_NATURE or not (device.startswith("/") or kind in _DISKS):
            continue
        mount = Path(place.encode().decode("unicode_escape"))
        try:
            number, has = mount.stat().st_dev, os.statvfs(mount)
        except OSError:
            # Seen by others alone, or gone meanwhile.
            continue
        # A single file can be mounted, too: it lies on another's disk.
        if not mount.is_dir():
            continue
        inodes = has.f_favail / has.f_files if has.f_files else 1.0
        found.setdefault(number, Disk(str(mount), has.f_blocks * has.f_frsize, has.f_bavail * has.f_frsize, inodes))
    return tuple(disk for disk in found.values() if disk.size)


def release(os_release: Path, releases: Path) -> Release:
    """Debian's release on a host, and its end after Debian's own table.

    Raises:
        OSError: A file can't be read.
    """
    named = dict(line.split("=", 1) for line in os_release.read_text(encoding="utf-8").splitlines() if "=" in line)
    series = named.get("VERSION_CODENAME", "").strip('"')
    with releases.open(encoding="utf-8", newline="") as file:
        row = next((row for row in csv.DictReader(file) if row["series"] == series), None)
    day = next((row[column] for column in _ENDS if row.get(column)), None) if row else None
    moment = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() if day else None
    return Release(f"Debian {named.get('VERSION_ID', '').strip(chr(34))}", moment)


def updates(config: Config, now: float, since: float | None) -> Updates:
    """What apt would install, and what is held.

    Raises:
        OSError: apt can't be asked.
    """
    plan = _said("apt-get", "--simulate", "--quiet", "--option=Debug::NoLocking=true", "--ignore-hold", "dist-upgrade")
    security = tuple(sorted(set(_SECURITY.findall(plan))))
    return Updates(
        security=security,
        others=len(set(_ANY.findall(plan)) - set(security)),
        held=tuple(_said("apt-mark", "showhold").split()),
        since=(since or now) if security else None,
        reboot=config.reboot_required.exists(),
    )


def _said(*command: str) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=_APT_SECONDS,
        env={"LC_ALL": "C", "PATH": "/usr/bin"},
    )
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
