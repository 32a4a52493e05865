# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with backups, and what may be done about it. No I/O, no clock: times are epoch seconds, given.

A client can lie about everything in its repository, but not about when a snapshot's file came in: that time is the
host's own. So ages, order and trust go by arrival.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Literal

from .restic import Plan, Snapshot

FUTURE_SECONDS = 600
BACKDATED_SECONDS = 48 * 3600
STALE_SECONDS = 36 * 3600
# restic renews a lock every 5 minutes and counts one as dead after 30; retain takes dead ones away every night.
LOCK_SECONDS = 26 * 3600
_USUAL_OF = 7
_ATTACK = "docs/runbooks/backup-attack.md"

Distrust = Literal["future", "backdated", "unreadable"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a person must know.

    Attributes:
        kind: age, future, backdated, keys, refused, size, quota, disk, check, retain, drill, drill_database,
            weekly_drill, wal, base_backup, timer, locked, unreadable, pgbackrest_copy.
        repository: the repository, stanza or timer that it is about; "" for the host.
        message: one sentence with the cure.
    """

    kind: str
    repository: str
    message: str

    @property
    def id(self) -> str:
        """The same as long as the problem is the same, whatever the numbers in its message."""
        return f"{self.kind}:{self.repository}" if self.repository else self.kind


@dataclass(frozen=True, slots=True)
class Refusals:
    """What a rest-server refused, or was asked that restic never asks.

    Attributes:
        attacks: such requests, by the status of the answer; 0 of a line so long that its end is elsewhere.
        full: uploads that found the repository full; last_full: when the last of them was, in epoch seconds.
        addresses: where they came from.
    """

    attacks: Mapping[int, int] = field(default_factory=dict)
    full: int = 0
    last_full: float = 0
    addresses: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """All requests that an honest client does not make."""
        return sum(self.attacks.values())


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the last run of something went; time 0: it never ran."""

    time: float = 0
    ok: bool = True
    message: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen of one repository.

    Attributes:
        arrived: the arrival of each snapshot file, by id.
        keys: user names of the keys that can be read; key_files: how many files there are.
        expected_keys: how many keys there should be.
        unreadable: why it can't be looked at; then the rest says nothing.
        journal_fault: why its server's journal can't be read; then refusals says nothing.
        oldest_lock: when the oldest lock came in; None without one.
        checks: outcome of the last check of each subset, by "n/t".
        runs: outcome of the last retain, drill, pgbackrest_copy.
        since: when the backup server first saw this repository.
    """

    name: str
    kind: str = "client"
    expected_seconds: float = 26 * 3600
    snapshots: tuple[Snapshot, ...] = ()
    arrived: Mapping[str, float] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    key_files: int = 0
    expected_keys: int = 2
    bytes: int = 0
    quota_bytes: int = 0
    unreadable: str = ""
    journal_fault: str = ""
    refusals: Refusals = field(default_factory=Refusals)
    oldest_lock: float | None = None
    checks: Mapping[str, Outcome] = field(default_factory=dict)
    runs: Mapping[str, Outcome] = field(default_factory=dict)
    since: float = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """near_full: part of the quota or disk that may be used; shrink: part of the usual size that is too little."""

    near_full: float = 0.85
    shrink: float = 0.5


def untrusted(snapshots: Iterable[Snapshot], arrived: Mapping[str, float]) -> dict[str, Distrust]:
    """The snapshots that no honest client made, by id, and why; any of them could make retention remove real ones.

    A file that no key opens is one of them. A snapshot whose file has gone meanwhile isn't.
    """
    found: dict[str, Distrust] = {}
    listed = set()
    for snapshot in snapshots:
        listed.add(snapshot.id)
        arrival = arrived.get(snapshot.id)
        if arrival is None:
            continue
        if snapshot.time > arrival + FUTURE_SECONDS:
            found[snapshot.id] = "future"
        elif snapshot.time < arrival - BACKDATED_SECONDS:
            found[snapshot.id] = "backdated"
    return found | {key: "unreadable" for key in arrived if key not in listed}


def trusted_in_order(snapshots: Iterable[Snapshot], arrived: Mapping[str, float]) -> list[Snapshot]:
    """The trusted snapshots, first to arrive first."""
    snapshots = list(snapshots)
    bad = untrusted(snapshots, arrived)
    good = [snapshot for snapshot in snapshots if snapshot.id in arrived and snapshot.id not in bad]
    return sorted(good, key=lambda snapshot: (arrived[snapshot.id], snapshot.time))


def overview(snapshots: Sequence[Snapshot], arrived: Mapping[str, float] | None) -> dict[str, Any]:
    """What restic_repository_info returns of snapshots; arrived is None where arrival times can't be known."""
    bad = untrusted(snapshots, arrived or {})
    ordered = list(snapshots) if arrived is None else trusted_in_order(snapshots, arrived)
    times = [arrived[snapshot.id] if arrived is not None else snapshot.time for snapshot in ordered]
    return {
        "snapshots": [
            asdict(snapshot) | {"arrived": (arrived or {}).get(snapshot.id), "untrusted": bad.get(snapshot.id, "")}
            for snapshot in snapshots
        ],
        "newest": times[-1] if times else None,
        "oldest": times[0] if times else None,
        "trusted": not bad if arrived is not None else None,
    }


def usual_size(ordered: Sequence[Snapshot]) -> tuple[float, float] | None:
    """Median files and bytes of the (up to seven) snapshots before the newest; None without any that says."""
    before = [snapshot for snapshot in ordered[:-1] if snapshot.files >= 0][-_USUAL_OF:]
    if not before:
        return None
    return median(snapshot.files for snapshot in before), median(snapshot.bytes for snapshot in before)


def may_forget(plan: Plan, judged: Collection[str]) -> str:
    """Why a retention plan may not be carried out; "" if it may.

    Args:
        plan: made by restic after the snapshots were judged.
        judged: ids of the snapshots that were found to be trusted. One that came in since may be a lie.
    """
    new = [key for key in (*plan.keep, *plan.remove) if key not in judged]
    if new:
        return f"snapshot {new[0][:8]} came in meanwhile and isn't judged yet"
    if plan.remove and not plan.keep:
        return "it would remove every snapshot"
    return ""


def next_subset(checks: Mapping[str, Outcome], cycle: int) -> int:
    """Which n of n/cycle to check: one that was never checked, else the one whose check is longest ago."""
    return min(range(1, cycle + 1), key=lambda n: (checks.get(f"{n}/{cycle}", Outcome()).time, n))


def remembered(checks: Mapping[str, Outcome], cycle: int) -> dict[str, Outcome]:
    """The checks worth remembering: this cycle's, and failed ones of another length until a whole good cycle."""
    mine = {key: outcome for key, outcome in checks.items() if key in {f"{n}/{cycle}" for n in range(1, cycle + 1)}}
    clean_since = min((outcome.time if outcome.ok else 0 for outcome in mine.values()), default=0)
    if len(mine) < cycle:
        clean_since = 0
    return mine | {
        key: outcome
        for key, outcome in checks.items()
        if key not in mine and not outcome.ok and outcome.time >= clean_since
    }


def unknown_keys(facts: Facts) -> int:
    """How many keys there are beyond one each for the client and for recovery."""
    expected = {"recovery"} | ({facts.name} if facts.kind == "client" else set())
    unexpected = sum(max(0, count - (name in expected)) for name, count in Counter(facts.keys).items())
    return max(unexpected, facts.key_files - facts.expected_keys, 0)


def judge_repository(facts: Facts, limits: Limits, now: float) -> list[Problem]:
    """What is wrong with one repository."""
    if facts.unreadable:
        return [Problem("unreadable", facts.name, facts.unreadable), *_refused(facts, limits)]
    problems = [Problem("unreadable", facts.name, facts.journal_fault)] if facts.journal_fault else []
    problems += [*_distrust(facts), *_refused(facts, limits), *_sizes(facts, limits), *_ages(facts, now)]
    problems += _runs(facts, now)
    if extra := unknown_keys(facts):
        cure = f"find out who added it, remove it with restic key remove; see {_ATTACK}"
        problems.append(Problem("keys", facts.name, f"{facts.name} has {extra} key(s) that nobody here made: {cure}"))
    elif len(facts.keys) < facts.expected_keys:
        cure = "on the backup host remove its file in /etc/backup-server/created, then run playbooks/backup.yml"
        problems.append(Problem("keys", facts.name, f"{facts.name} lacks a key, has {len(facts.keys)}: {cure}"))
    if facts.oldest_lock is not None and now - facts.oldest_lock > LOCK_SECONDS:
        cure = "if no run is that long, restic unlock --remove-all on the backup host"
        problems.append(
            Problem("locked", facts.name, f"{facts.name} is locked for {in_hours(now - facts.oldest_lock)}: {cure}")
        )
    return problems


def merged(problems: Iterable[Problem], last: Mapping[str, Any], now: str) -> tuple[list[dict[str, str]], list[str]]:
    """The problems as the report lists them, and the ids of those that are new.

    Args:
        problems: found now; of several with one id the first counts.
        last: the report before; {} if there is none.
        now: ISO 8601.
    """
    since = {}
    for entry in last.get("problems") or ():
        if isinstance(entry, Mapping) and "id" in entry:
            since[str(entry["id"])] = str(entry.get("since") or now)
    listed: dict[str, dict[str, str]] = {}
    for problem in problems:
        listed.setdefault(
            problem.id,
            {
                "id": problem.id, "repository": problem.repository, "kind": problem.kind,
                "since": since.get(problem.id, now), "message": problem.message,
            },
        )  # fmt: skip
    return list(listed.values()), [key for key in listed if key not in since]


def _distrust(facts: Facts) -> list[Problem]:
    name = facts.name
    by_reason: dict[str, list[str]] = {}
    for key, reason in untrusted(facts.snapshots, facts.arrived).items():
        by_reason.setdefault(reason, []).append(key[:8])
    texts = {
        "future": "claim to be of the future: mend the client's clock or see " + _ATTACK,
        "backdated": f"claim to be days older than they are: see {_ATTACK}; if a run really took so long,"
        " touch the snapshot's file back to its own time",
        "unreadable": f"are files that no key opens: see {_ATTACK} and remove them on the backup host",
    }
    problems = []
    for kind, keys in sorted(by_reason.items()):
        which = f"snapshots of {name} ({', '.join(sorted(keys)[:5])})"
        problems.append(Problem(kind, name, f"{which} {texts[kind]}; until then nothing is forgotten there"))
    return problems


def _refused(facts: Facts, limits: Limits) -> list[Problem]:
    refused = facts.refusals
    problems = []
    if refused.count:
        statuses = ", ".join(
            f"{count} with {status or 'too long a line'}" for status, count in sorted(refused.attacks.items())
        )
        places = ", ".join(refused.addresses[:3])
        text = f"requests at {facts.name} within a day were refused or aren't restic's ({statuses}; from {places}): "
        problems.append(Problem("refused", facts.name, f"{text}see who sends them and {_ATTACK}"))
    # What came in whole after the last refusal shows that there is room again.
    ordered = trusted_in_order(facts.snapshots, facts.arrived)
    room = bool(ordered) and facts.arrived[ordered[-1].id] > refused.last_full
    if refused.full and not room:
        by_quota = facts.quota_bytes and facts.bytes > facts.quota_bytes * limits.near_full
        cure = "raise its quota, or see" if by_quota else "it was the disk and not the quota, see"
        text = f"{facts.name} was full, {refused.full} uploads were refused: {cure} docs/runbooks/backup-full.md"
        problems.append(Problem("quota", facts.name, text))
    return problems


def _sizes(facts: Facts, limits: Limits) -> list[Problem]:
    problems = []
    ordered = trusted_in_order(facts.snapshots, facts.arrived)
    usual = usual_size(ordered)
    if usual and ordered[-1].files >= 0:
        newest = ordered[-1]
        if newest.files < usual[0] * limits.shrink or newest.bytes < usual[1] * limits.shrink:
            text = f"the newest backup of {facts.name} has {newest.files} files, {newest.bytes} bytes"
            text += f"; usual are {usual[0]:.0f} and {usual[1]:.0f}"
            problems.append(Problem("size", facts.name, f"{text}: see what is gone there, and {_ATTACK}"))
    if facts.quota_bytes and facts.bytes > facts.quota_bytes * limits.near_full:
        used = f"{facts.name} uses {facts.bytes * 100 // facts.quota_bytes} % of its quota"
        problems.append(Problem("quota", facts.name, f"{used}: raise it, or see docs/runbooks/backup-full.md"))
    return problems


def _ages(facts: Facts, now: float) -> list[Problem]:
    ordered = trusted_in_order(facts.snapshots, facts.arrived)
    cure = "see the client's facility-backup.service and docs/runbooks/backup-missing.md"
    if facts.kind != "client":
        cure = "see backup-protect-pgbackrest.service and docs/runbooks/backup-missing.md"
    if not ordered:
        # A new client has until its first night is over.
        if not facts.snapshots and now - facts.since <= facts.expected_seconds:
            return []
        return [Problem("age", facts.name, f"{facts.name} has no backup that can be trusted: {cure}")]
    age = now - facts.arrived[ordered[-1].id]
    if age > facts.expected_seconds:
        return [Problem("age", facts.name, f"no backup of {facts.name} came in for {in_hours(age)}: {cure}")]
    return []


def _runs(facts: Facts, now: float) -> list[Problem]:
    problems = []
    name = facts.name
    failed = {key: outcome for key, outcome in facts.checks.items() if not outcome.ok}
    if failed:
        key, outcome = min(failed.items(), key=lambda item: item[1].time)
        cure = "keep the client's data, then restic check and repair; see docs/runbooks/backup-drill-failed.md"
        problems.append(Problem("check", name, f"{name} is damaged (part {key}: {outcome.message}): {cure}"))
    cures = {
        "check": ("backup-check", "docs/runbooks/backup-drill-failed.md"),
        "retain": ("backup-retain", "docs/runbooks/backup-full.md"),
        "drill": ("backup-drill", "docs/runbooks/backup-drill-failed.md"),
        "pgbackrest_copy": ("backup-protect-pgbackrest", "docs/runbooks/backup-missing.md"),
    }
    wanted = {"check", "retain"} | ({"drill"} if facts.kind == "client" else {"pgbackrest_copy"})
    runs = {**facts.runs, "check": Outcome(max((outcome.time for outcome in facts.checks.values()), default=0))}
    # A repository that is new, or still empty, has no history to miss.
    born = max(facts.since, min(facts.arrived.values(), default=now))
    for run in sorted(wanted):
        outcome = runs.get(run, Outcome())
        if run == "retain" and untrusted(facts.snapshots, facts.arrived):
            continue  # it rests for a reason that is reported already
        unit, runbook = cures[run]
        if not outcome.ok:
            problems.append(Problem(run, name, f"{run} of {name} failed: {outcome.message}; see {runbook}"))
        elif now - max(outcome.time, born) > STALE_SECONDS:
            ago = f"for {in_hours(now - outcome.time)}" if outcome.time else "yet"
            problems.append(
                Problem(run, name, f"no {run} of {name} was done {ago}: see the timer of {unit}; {runbook}")
            )
    return problems


def in_hours(seconds: float) -> str:
    """Seconds as people read them."""
    return f"{seconds / 3600:.0f} hours"
