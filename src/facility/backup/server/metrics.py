# SPDX-License-Identifier: GPL-3.0-or-later
"""What Prometheus' node exporter reads: gauges, in epoch seconds and bytes."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

from .state import StateError

_HELP = {
    "backup_last_snapshot_timestamp_seconds": "When the newest trusted snapshot came in.",
    "backup_snapshots": "Snapshots in the repository.",
    "backup_snapshot_files": "Files in the newest trusted snapshot.",
    "backup_snapshot_bytes": "Size of the files in the newest trusted snapshot.",
    "backup_snapshot_files_usual": "Median of the files in the seven snapshots before.",
    "backup_snapshot_bytes_usual": "Median of the sizes of the seven snapshots before.",
    "backup_untrusted_snapshots": "Snapshots whose date can't be true, or that no key opens.",
    "backup_repository_keys_unknown": "Keys that nobody here made.",
    "backup_repository_bytes": "Size of the repository on the disk.",
    "backup_repository_quota_bytes": "How large it may become; 0 for no limit.",
    "backup_refused_requests_day": "Requests within a day that its server refused, or that restic doesn't make.",
    "backup_volume_free_bytes": "Room on the disk that holds the backups.",
    "backup_volume_size_bytes": "Size of the disk that holds the backups.",
    "backup_check_ok": "Whether the last check of every part was good.",
    "backup_check_timestamp_seconds": "When a part was last checked.",
    "backup_retain_timestamp_seconds": "When old snapshots were last forgotten with success.",
    "backup_drill_ok": "Whether files of the newest snapshot came back as they were.",
    "backup_drill_files": "Files that the last drill compared.",
    "backup_drill_timestamp_seconds": "When the last drill was.",
    "backup_weekly_drill_ok": "Whether the last full restore was good.",
    "backup_weekly_drill_timestamp_seconds": "When the last full restore was.",
    "backup_host_drill_ok": "Whether the service last came back whole on a host of its own.",
    "backup_host_drill_timestamp_seconds": "When that was.",
    "backup_host_drill_max_age_seconds": "How long ago it may be.",
    "backup_timer_active": "Whether the timer waits for its time.",
    "backup_base_timestamp_seconds": "When the newest base backup ended.",
    "backup_wal_age_seconds": "How long ago the newest write-ahead log came in.",
    "backup_problems": "Problems in the backup server's report.",
    "backup_inspect_timestamp_seconds": "When the backups were last looked at.",
    "backup_database_drill_ok": "Whether the database came back with its rows.",
    "backup_database_drill_rows": "Rows in all tables of the restored database.",
    "backup_database_drill_tables": "Tables of the restored database.",
    "backup_database_drill_timestamp_seconds": "When the last drill of the database was.",
}
Values = dict[str, float | dict[str, float]]


def label_of(name: str) -> str:
    """What the parts of a metric are called."""
    if name == "backup_timer_active":
        return "timer"
    if name.startswith("backup_host_drill_"):
        return "drill"
    return "stanza" if name.startswith(("backup_base_", "backup_wal_", "backup_database_")) else "repository"


def write(file: Path, values: Mapping[str, float | Mapping[str, float]]) -> None:
    """Replace a metrics file; a value that is a mapping has a label, see label_of.

    Raises:
        StateError: When the file can't be written, or the library for it is missing.
    """
    try:
        # Not at the top: deciding and testing do without it.
        client = importlib.import_module("prometheus_client")
    except ImportError:
        raise StateError("prometheus_client is missing: install the package python3-prometheus-client") from None
    registry = client.CollectorRegistry()
    for name, value in values.items():
        if isinstance(value, Mapping):
            gauge = client.Gauge(name, _HELP[name], [label_of(name)], registry=registry)
            for key, number in value.items():
                gauge.labels(key).set(number)
        else:
            client.Gauge(name, _HELP[name], registry=registry).set(value)
    try:
        client.write_to_textfile(str(file), registry)
        file.chmod(0o644)
    except OSError as error:
        raise StateError(f"{file}: {error.strerror}: let this unit's user write into its folder") from None
