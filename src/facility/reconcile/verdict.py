# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a run: what a person has to do, in the order of harm, and the exit status. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any

from .events import Drift, Fault, Looked

SCHEMA = 1
"""Of the report; another number means that somebody who reads it must look again."""


class Status(IntEnum):
    """What the command's exit status tells."""

    CLEAN = 0
    DRIFT = 2
    BROKEN = 3
    NOT_RUN = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What verify.yml says of a service on a host."""

    host: str
    service: str
    ok: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All of one run. Times are ISO 8601 with an offset.

    Attributes:
        revision: the checkout's commit.
        services: for each playbook how many tasks gave a result, how many of them were skipped, and on how many hosts.
        needs_person: one line for each thing that somebody has to do, the most harmful first.
        drift: what differs and was not mended.
        mended: what was mended.
        faults: tasks of a comparison that failed, and hosts that did not answer.
        asked: what every service answered.
        broken_off: when a run before this one began that never ended; "" if each ended.
    """

    began: str
    ended: str
    revision: str
    status: int
    needs_person: tuple[str, ...]
    services: Mapping[str, Mapping[str, int]]
    drift: tuple[Drift, ...] = ()
    mended: tuple[Drift, ...] = ()
    faults: tuple[Fault, ...] = ()
    asked: tuple[Asked, ...] = ()
    broken_off: str = ""
    schema: int = field(default=SCHEMA, kw_only=True)

    def document(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        return asdict(self)


def judged(
    began: str,
    ended: str,
    *,
    revision: str,
    looked: Sequence[Looked],
    mended: Sequence[Drift],
    asked: Sequence[Asked],
    broken_off: str = "",
) -> Report:
    """The report of a run that came to its end.

    Args:
        began: When.
        ended: When.
        revision: The checkout's commit.
        looked: What each playbook showed; of a mended one, what it showed afterwards.
        mended: What was mended.
        asked: What every service answered.
        broken_off: When an earlier run began that never ended.
    """
    drift = sorted(one for each in looked for one in each.drift)
    faults = sorted(one for each in looked for one in each.faults)
    silent = sorted(one.service for one in looked if not (one.tasks or one.empty))
    bad = [one for one in asked if not one.ok]
    lines = [f"{one.host}: {one.service} does not answer as it should: {one.message}" for one in bad]
    away = sorted({host for each in looked for host in each.unreachable})
    lines += [f"{host} did not answer: what is on it was not looked at" for host in away]
    lines += [
        f"{one.host}: {one.service} could not be compared, at “{one.task}”: {one.message}" for one in faults if one.task
    ]
    lines += [f"{name}: nothing was looked at: run playbooks/{name}.yml --check by hand" for name in silent]
    if not any(one.tasks for one in looked):
        lines.append("nothing at all was compared: is the inventory's hosts.yml the right one?")
        silent = silent or ["site"]
    if not asked:
        lines.append("no service was asked: run playbooks/verify.yml by hand")
    lines += [_drifted(one) for one in drift]
    if broken_off:
        lines.append(f"the run that began at {broken_off} never ended: see the journal of facility-job-reconcile")
    status = Status.CLEAN
    if drift:
        status = Status.DRIFT
    if bad or faults or silent or not asked:
        status = Status.BROKEN
    services = {
        one.service: {"tasks": one.tasks, "skipped": one.skipped, "hosts": len(one.hosts)}
        for one in sorted(looked, key=lambda one: one.service)
    }
    return Report(
        began, ended, revision, int(status), tuple(lines), services, tuple(drift), tuple(sorted(mended)), tuple(faults),
        tuple(sorted(asked, key=lambda one: (one.ok, one.host, one.service))), broken_off,
    )  # fmt: skip


def _drifted(one: Drift) -> str:
    what = f" ({', '.join(one.files)})" if one.files else ""
    return (
        f"{one.host} differs: “{one.task}” would change something{what}: see it with ansible-playbook "
        f"playbooks/{one.service}.yml --check --diff --limit {one.host}"
    )
