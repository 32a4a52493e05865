# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of reports: the newest as report.json and report.html, each kept by its day, and who is at it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.replace_file import replace_file
from ..core.textfile_metrics import Metric, write
from .page import drawn
from .verdict import Report

NEWEST, PAGE = "report.json", "report.html"
_RUNS, _UNDER_WAY = "runs", "under-way"
_KEPT = 400
_SHOWN = 30
METRICS = {
    "reconcile_timestamp_seconds": Metric("End of the last comparison."),
    "reconcile_status": Metric("Its exit status: 0 clean or mended, 2 something differs, 3 something does not work."),
    "reconcile_needs_person": Metric("How many things somebody has to do."),
    "reconcile_drift": Metric("What differs and was not mended.", label="service"),
    "reconcile_tasks": Metric("Tasks that were compared.", label="service"),
}


def begin(folder: Path, moment: str) -> str:
    """Note that a run begins; give when one before it began that never ended, "" if each ended."""
    (folder / _RUNS).mkdir(parents=True, exist_ok=True)
    note = folder / _UNDER_WAY
    before = note.read_text(encoding="utf-8").strip() if note.exists() else ""
    replace_file(note, f"{moment}\n", mode=0o640)
    return before


def keep(folder: Path, report: Report, title: str, stamp: float) -> None:
    """Write a report as JSON and as a page, and the figures; the oldest of very many are removed.

    Args:
        folder: The folder of reports.
        report: What came of the run.
        title: The facility's name.
        stamp: Its end, in seconds since 1970.
    """
    document = report.document()
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    replace_file(folder / _RUNS / f"{report.ended[:19].replace(':', '')}.json", text, mode=0o640)
    replace_file(folder / PAGE, drawn(document, history(folder), title), mode=0o640)
    replace_file(folder / NEWEST, text, mode=0o640)
    for old in sorted((folder / _RUNS).glob("*.json"))[:-_KEPT]:
        old.unlink()
    drift = {name: float(sum(one.service == name for one in report.drift)) for name in report.services}
    write(folder / "reconcile.prom", METRICS, {
        "reconcile_timestamp_seconds": stamp,
        "reconcile_status": report.status,
        "reconcile_needs_person": len(report.needs_person),
        "reconcile_drift": drift,
        "reconcile_tasks": {name: one["tasks"] - one["skipped"] for name, one in report.services.items()},
    })  # fmt: skip
    (folder / _UNDER_WAY).unlink(missing_ok=True)


def history(folder: Path) -> list[Mapping[str, Any]]:
    """The last reports, the oldest first; one that can't be read is left out."""
    found: list[Mapping[str, Any]] = []
    for file in sorted((folder / _RUNS).glob("*.json"))[-_SHOWN:]:
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(document, dict) and {"ended", "status", "drift"} <= set(document):
            found.append(document)
    return found
