# SPDX-License-Identifier: GPL-3.0-or-later
"""What Prometheus' node exporter reads of the backup server: gauges, in epoch seconds and bytes."""

from __future__ import annotations

from pathlib import Path

from ...core import textfile_metrics
from ...core.textfile_metrics import Metric
from .state import StateError

METRICS = {
    "backup_last_snapshot_timestamp_seconds": Metric("When the newest trusted snapshot came in.", label="repository"),
    "backup_snapshots": Metric("Snapshots in the repository.", label="repository"),
    "backup_snapshot_files": Metric("Files in the newest trusted snapshot.", label="repository"),
    "backup_snapshot_bytes": Metric("Size of the files in the newest trusted snapshot.", label="repository"),
    "backup_snapshot_files_usual": Metric("Median of the files in the seven snapshots before.", label="repository"),
    "backup_snapshot_bytes_usual": Metric("Median of the sizes of the seven snapshots before.", label="repository"),
    "backup_untrusted_snapshots": Metric(
        "Snapshots whose date can't be true, or that no key opens.", label="repository"
    ),
    "backup_repository_keys_unknown": Metric("Keys that nobody here made.", label="repository"),
    "backup_repository_bytes": Metric("Size of the repository on the disk.", label="repository"),
    "backup_repository_quota_bytes": Metric("How large it may become; 0 for no limit.", label="repository"),
    "backup_refused_requests_day": Metric(
        "Requests within a day that its server refused, or that restic doesn't make.", label="repository"
    ),
    "backup_volume_free_bytes": Metric("Room on the disk that holds the backups."),
    "backup_volume_size_bytes": Metric("Size of the disk that holds the backups."),
    "backup_check_ok": Metric("Whether the last check of every part was good.", label="repository"),
    "backup_check_timestamp_seconds": Metric("When a part was last checked.", label="repository"),
    "backup_retain_timestamp_seconds": Metric(
        "When old snapshots were last forgotten with success.", label="repository"
    ),
    "backup_drill_ok": Metric("Whether files of the newest snapshot came back as they were.", label="repository"),
    "backup_drill_files": Metric("Files that the last drill compared.", label="repository"),
    "backup_drill_timestamp_seconds": Metric("When the last drill was.", label="repository"),
    "backup_weekly_drill_ok": Metric("Whether the last full restore was good."),
    "backup_weekly_drill_timestamp_seconds": Metric("When the last full restore was."),
    "backup_host_drill_ok": Metric("Whether the service last came back whole on a host of its own.", label="drill"),
    "backup_host_drill_timestamp_seconds": Metric("When that was.", label="drill"),
    "backup_host_drill_max_age_seconds": Metric("How long ago it may be.", label="drill"),
    "backup_timer_active": Metric("Whether the timer waits for its time.", label="timer"),
    "backup_base_timestamp_seconds": Metric("When the newest base backup ended.", label="stanza"),
    "backup_wal_age_seconds": Metric("How long ago the newest write-ahead log came in.", label="stanza"),
    "backup_problems": Metric("Problems in the backup server's report."),
    "backup_inspect_timestamp_seconds": Metric("When the backups were last looked at."),
    "backup_database_drill_ok": Metric("Whether the database came back with its rows.", label="stanza"),
    "backup_database_drill_rows": Metric("Rows in all tables of the restored database.", label="stanza"),
    "backup_database_drill_tables": Metric("Tables of the restored database.", label="stanza"),
    "backup_database_drill_timestamp_seconds": Metric("When the last drill of the database was.", label="stanza"),
}
Values = dict[str, float | dict[str, float]]


def write(file: Path, values: textfile_metrics.Values) -> None:
    """Replace a metrics file.

    Raises:
        StateError: When the file can't be written.
    """
    try:
        textfile_metrics.write(file, METRICS, values)
    except OSError as error:
        raise StateError(f"{file}: {error.strerror}: let this unit's user write into its folder") from None
