# SPDX-License-Identifier: GPL-3.0-or-later
"""What Prometheus' node exporter and the status command read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ...core.textfile_metrics import Metric
from .state import Record, read_only

WAITING_FILE = "waiting.json"
STATE_FILE = "state.sqlite"

METRICS = {
    "settle_sets": Metric("Sets by state; waiting ones lie in people's folders.", label="state"),
    "settle_oldest_waiting_seconds": Metric("Since when the oldest set waits that is not empty."),
    "settle_waiting_bytes": Metric("Size of the waiting sets."),
    "settle_queued_files": Metric("Files of complete sets that wait for their turn."),
    "settle_oldest_queued_seconds": Metric("Since when the oldest of them waits for its turn."),
    "settle_seconds_per_file": Metric("How long OMERO needs for a file, when it has something to do."),
    "settle_free_bytes": Metric("Room on the disk of OMERO's data."),
    "settle_size_bytes": Metric("Size of that disk."),
    "settle_sets_total": Metric(
        "Sets that were offered to OMERO, imported, offered again, put aside.", kind="counter", label="event"
    ),
    "settle_errors_total": Metric("Acts that failed and are tried again.", kind="counter"),
    "settle_last_scan_seconds": Metric("Duration of the last scan of all folders."),
    "settle_last_loop_timestamp_seconds": Metric("When settle last looked for work."),
    "settle_omero_ready": Metric("Whether OMERO's import service is known to live."),
    "settle_people_over_quota": Metric("People who have more on the drive than there is room for them."),
    "settle_refused_logins": Metric("Entries of incoming that are no person's folder."),
}


def status(state_dir: Path) -> dict[str, Any]:
    """All sets, for somebody who only looks: waiting ones as of the last turn, the others as they are.

    Returns:
        {"updated": epoch seconds or None, "sets": [{login, name, state, since, reason, detail, place, files, bytes}]}
        with state "waiting", a record's state, or "done" and "quarantined" as long as the history is kept.
    """
    try:
        document: dict[str, Any] = json.loads((state_dir / WAITING_FILE).read_text())
    except FileNotFoundError:
        document = {"updated": None, "sets": []}
    records = read_only(state_dir / STATE_FILE)
    document["sets"] += [_row(record) for record in sorted(records, key=lambda r: (r.login, r.since))]
    return document


def _row(record: Record) -> dict[str, Any]:
    keys = ("login", "name", "state", "since", "reason", "detail", "files", "bytes")
    return {key: getattr(record, key) for key in keys} | {"place": record.target, "attempts": record.attempts}
