# SPDX-License-Identifier: GPL-3.0-or-later
"""What Prometheus' node exporter reads of a host's check."""

from __future__ import annotations

from ...core.textfile_metrics import Metric, Values
from .ends import Observed

METRICS = {
    "host_check_timestamp_seconds": Metric("When the host was last looked at."),
    "host_check_problems": Metric("What needs somebody."),
    "host_certificate_end_timestamp_seconds": Metric("End of the certificate that a port serves.", label="port"),
    "host_certificate_same": Metric("Whether a port serves the certificate of the host's file.", label="port"),
    "host_authority_end_timestamp_seconds": Metric("End of the authority's certificate."),
    "host_release_end_timestamp_seconds": Metric("When Debian's last security updates come.", label="release"),
    "host_disk_size_bytes": Metric("Size of a file system.", label="mount"),
    "host_disk_free_bytes": Metric("What is free of it.", label="mount"),
    "host_disk_free_inodes": Metric("Share of its inodes that is free.", label="mount"),
    "host_updates_security": Metric("Packages that wait for a security update."),
    "host_updates_security_since_timestamp_seconds": Metric("Since when a security update waits; 0 if none does."),
    "host_updates_others": Metric("Packages that wait for another update."),
    "host_packages_held": Metric("Packages that somebody holds back."),
    "host_reboot_required": Metric("Whether an update asks for a reboot."),
}


def values(found: Observed, problems: int) -> Values:
    """The figures of a look at a host."""
    updates, release = found.updates, found.release
    return {
        "host_check_timestamp_seconds": found.now,
        "host_check_problems": problems,
        "host_certificate_end_timestamp_seconds": {
            str(one.port): one.ends for one in found.ports if one.ends is not None
        },
        "host_certificate_same": {str(one.port): float(one.same is True) for one in found.ports},
        **({} if found.authority_ends is None else {"host_authority_end_timestamp_seconds": found.authority_ends}),
        "host_release_end_timestamp_seconds": {} if release.ends is None else {release.name: release.ends},
        "host_disk_size_bytes": {disk.mount: disk.size for disk in found.disks},
        "host_disk_free_bytes": {disk.mount: disk.free for disk in found.disks},
        "host_disk_free_inodes": {disk.mount: disk.free_inodes for disk in found.disks},
        "host_updates_security": len(updates.security),
        "host_updates_security_since_timestamp_seconds": updates.since or 0,
        "host_updates_others": updates.others,
        "host_packages_held": len(updates.held),
        "host_reboot_required": float(updates.reboot),
    }
