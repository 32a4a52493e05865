# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one page: nothing from elsewhere, no script, light and dark, for phones and paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import jinja2

_FRESH = timedelta(hours=26)
_WORDS = {
    0: "Nothing to do: everything is as it should be",
    2: "Something differs from what it should be",
    3: "Something does not work, or could not be looked at",
    4: "The comparison did not run",
}
_COLOURS = {0: "good", 2: "differs", 3: "bad", 4: "bad"}


def drawn(report: Mapping[str, Any], history: Sequence[Mapping[str, Any]], title: str) -> str:
    """The page of a report.

    Args:
        report: As verdict.Report.document gives it.
        history: Earlier reports and this one, the oldest first; of each began, ended, status and drift are used.
        title: The facility's name.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("facility.reconcile", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    ended = datetime.fromisoformat(report["ended"])
    return environment.get_template("report.html.j2").render(
        report=report,
        title=title,
        words=_WORDS[report["status"]],
        colour=_COLOURS[report["status"]],
        ended=ended,
        minutes=_minutes(report),
        stale=ended + _FRESH,
        bars=bars(history),
        tasks=sum(one["tasks"] - one["skipped"] for one in report["services"].values()),
        skipped=sum(one["skipped"] for one in report["services"].values()),
        away=sorted({one["host"] for one in report["faults"] if not one["task"]}),
    )


def bars(history: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each run of the history a bar: height from 4 to 40 by what differed, and its colour's name."""
    most = max((len(one["drift"]) for one in history), default=0) or 1
    return [
        {"x": number * 10, "height": 4 + round(36 * len(one["drift"]) / most), "colour": _COLOURS[one["status"]],
         "told": f"{one['ended'][:16].replace('T', ' ')}: {_WORDS[one['status']]}"}
        for number, one in enumerate(history)
    ]  # fmt: skip


def _minutes(report: Mapping[str, Any]) -> str:
    seconds = (datetime.fromisoformat(report["ended"]) - datetime.fromisoformat(report["began"])).total_seconds()
    return f"{seconds / 60:.1f} min"
