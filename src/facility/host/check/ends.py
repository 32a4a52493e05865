# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of what was observed: pure. Times are seconds since 1970, UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from ...core.served_certificate import Served

_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Release:
    """Debian's release on the host, and when its last security updates come; None where nobody has said it yet."""

    name: str
    ends: float | None


@dataclass(frozen=True, slots=True)
class Updates:
    """Updates that wait.

    Attributes:
        security: packages with a security update.
        others: packages with another update.
        held: packages that somebody holds back.
        since: since when each look has found a security update; None if none waits.
        reboot: whether a reboot is asked for.
    """

    security: tuple[str, ...] = ()
    others: int = 0
    held: tuple[str, ...] = ()
    since: float | None = None
    reboot: bool = False


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system on a disk, in bytes; the shares of them, and of its inodes, that are free, are at most 1."""

    mount: str
    size: int
    free: int
    free_inodes: float = 1.0


@dataclass(frozen=True, slots=True)
class Observed:
    """All that was found at one moment, now."""

    now: float
    ports: tuple[Served, ...]
    disks: tuple[Disk, ...]
    authority_ends: float | None
    release: Release
    updates: Updates


@dataclass(frozen=True, slots=True)
class Limits:
    """How many days before an end it is told, how many a security update may wait, and how little may be free."""

    certificate_days: int
    authority_days: int
    release_days: int
    updates_days: int
    disk_percent: int
    disk_bytes: int


def problems(found: Observed, limits: Limits, host: str) -> list[str]:
    """One line for each thing that needs somebody, with its cure.

    Args:
        found: What was found.
        limits: From when on it is told.
        host: The host's name in the inventory.
    """
    told = [line for one in found.ports for line in _port(one, found.now, limits, host)]
    ends = found.authority_ends
    if _near(ends, found.now, limits.authority_days):
        told.append(
            f"the authority's certificate {_ending(ends, found.now)}: run ansible-playbook playbooks/certificates.yml, "
            "and see docs/runbooks/host-check.md"
        )
    if _near(found.release.ends, found.now, limits.release_days):
        told.append(
            f"security updates of {found.release.name}: the last {_ending(found.release.ends, found.now)}; plan the "
            "upgrade of this host to the next Debian"
        )
    told += [line for disk in found.disks for line in _disk(disk, limits)]
    told += _updates(found.updates, found.now, limits)
    return told


def _port(served: Served, now: float, limits: Limits, host: str) -> list[str]:
    port, renew = served.port, f"run ansible-playbook playbooks/certificates.yml --limit {host}"
    if served.same is None:
        return [f"port {port} {served.fault}: look at what listens there with ss -lntp"]
    if served.begins is not None and now < served.begins:
        return [
            f"port {port}: its certificate begins on {_date(served.begins)}, and this host's clock shows {_date(now)}: "
            "look at the clock with timedatectl"
        ]
    if not served.same:
        return [f"port {port} serves another certificate than the host's file: {renew}"]
    if _near(served.ends, now, limits.certificate_days):
        return [f"port {port}: its certificate {_ending(served.ends, now)}: {renew}"]
    return []


def _disk(disk: Disk, limits: Limits) -> list[str]:
    told = []
    if disk.free < limits.disk_bytes and disk.free * 100 < disk.size * limits.disk_percent:
        told.append(
            f"{disk.mount} is nearly full, {disk.free / 1e9:.1f} of {disk.size / 1e9:.1f} GB are free: see what grew "
            f"with du -xh --max-depth=2 {disk.mount} | sort -h | tail"
        )
    if disk.free_inodes * 100 < limits.disk_percent:
        told.append(
            f"{disk.mount} takes hardly any new file, {disk.free_inodes:.0%} of its inodes are free: see where "
            f"files are many with du -x --inodes --max-depth=2 {disk.mount} | sort -n | tail"
        )
    return told


def _updates(updates: Updates, now: float, limits: Limits) -> list[str]:
    told = []
    held = sorted(set(updates.held) & set(updates.security))
    if held:
        told.append(f"{', '.join(held)}: a security update waits and the package is held: apt-mark unhold it")
    waiting = [name for name in updates.security if name not in held]
    if waiting and updates.since is not None and now - updates.since > limits.updates_days * _DAY:
        told.append(
            f"{len(waiting)} packages wait for security updates since {_date(updates.since)}: see "
            "journalctl -u apt-daily-upgrade.service"
        )
    return told


def _near(end: float | None, now: float, days: int) -> bool:
    return end is not None and end - now < days * _DAY


def _ending(end: float | None, now: float) -> str:
    if end is None:
        return "has no end"
    days = int(abs(end - now) // _DAY)
    return f"ended on {_date(end)}, {days} days ago" if end <= now else f"ends on {_date(end)}, in {days} days"


def _date(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).date().isoformat()
