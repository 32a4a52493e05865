# SPDX-License-Identifier: GPL-3.0-or-later
"""What Prometheus' node exporter reads of a client."""

from __future__ import annotations

from ...core.textfile_metrics import Metric

METRICS = {
    "backup_run_ok": Metric("Whether the last run of the backup stored everything."),
    "backup_run_timestamp_seconds": Metric("End of the last good run."),
    "backup_run_seconds": Metric("How long the last run took."),
    "backup_run_files": Metric("Files that the last run has seen."),
    "backup_run_added_bytes": Metric("What the last run brought to the repository."),
}
