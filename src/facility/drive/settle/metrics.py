# SPDX-License-Identifier: GPL-3.0-or-later
"""What Prometheus' node exporter and the status command read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...core.replace_file import replace_file
from .state import Record, read_only

WAITING_FILE = "waiting.json"
STATE_FILE = "state.sqlite"

_HELP = {
    "settle_sets": ("gauge", "Sets by state; waiting ones lie in people's folders."),
    "settle_oldest_waiting_seconds": ("gauge", "Since when the oldest set waits that is not empty."),
    "settle_waiting_bytes": ("gauge", "Size of the waiting sets."),
    "settle_sets_total": ("counter", "Sets that were offered to OMERO, imported, offered again, put aside."),
    "settle_errors_total": ("counter", "Acts that failed and are tried again."),
    "settle_last_scan_seconds": ("gauge", "Duration of the last scan of all folders."),
    "settle_last_loop_timestamp_seconds": ("gauge", "When settle last looked for work."),
    "settle_omero_ready": ("gauge", "Whether OMERO's import service is known to live."),
    "settle_refused_logins": ("gauge", "Entries of incoming that are no person's folder."),
}


def rendered(values: Mapping[str, float | Mapping[str, float]]) -> str:
    """Prometheus' text format; a value that is a mapping has the label "state" or "event"."""
    lines = []
    for name, value in values.items():
        kind, meaning = _HELP[name]
        lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
        if isinstance(value, Mapping):
            label = "event" if kind == "counter" else "state"
            lines += [f'{name}{{{label}="{key}"}} {number:.10g}' for key, number in sorted(value.items())]
        else:
            lines.append(f"{name} {value:.10g}" if not name.endswith("timestamp_seconds") else f"{name} {value:.3f}")
    return "\n".join(lines) + "\n"


def write(file: Path, values: Mapping[str, float | Mapping[str, float]]) -> None:
    """Replace the metrics file."""
    replace_file(file, rendered(values), sync=False)


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
