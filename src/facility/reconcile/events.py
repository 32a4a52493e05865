# SPDX-License-Identifier: GPL-3.0-or-later
"""What a playbook's events in check mode say: what would change, what could not be looked at, how much was.

Events are ansible-runner's, as its callback sends them: https://ansible.readthedocs.io/projects/runner/en/stable/intro/
Texts of differences are not kept: a file's difference can hold a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_LONGEST = 500
_MOST_FILES = 20


@dataclass(frozen=True, slots=True, order=True)
class Drift:
    """A task that would change something.

    Attributes:
        service: the playbook's name, as wiki.
        host: where.
        task: the task's name, with its role before it.
        files: what it would change, if it says so: names of files, units or objects.
    """

    service: str
    host: str
    task: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """A task that failed, or a host that did not answer ("" as the task)."""

    service: str
    host: str
    task: str
    message: str


@dataclass(slots=True)
class Looked:
    """What one playbook's run has shown, as events come in.

    Attributes:
        service: the playbook's name.
        tasks: how many tasks on all hosts gave a result.
        skipped: how many of these did nothing in check mode, or not on that host.
        hosts: who answered.
        drift: what would change.
        faults: what failed.
        unreachable: who did not answer.
        empty: a play found no host, as where a group of the inventory is empty.
    """

    service: str
    tasks: int = 0
    skipped: int = 0
    hosts: set[str] = field(default_factory=set)
    drift: list[Drift] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unreachable: set[str] = field(default_factory=set)
    empty: bool = False
    _handlers: set[str] = field(default_factory=set)

    def see(self, event: Mapping[str, Any]) -> None:
        """Take in one event; those of other kinds say nothing."""
        kind, data = event.get("event"), event.get("event_data") or {}
        if kind == "playbook_on_handler_task_start":
            # It only follows from what changed.
            self._handlers.add(str(data.get("task_uuid")))
            return
        if kind == "playbook_on_no_hosts_matched":
            self.empty = True
        if kind not in {"runner_on_ok", "runner_on_failed", "runner_on_skipped", "runner_on_unreachable"}:
            return
        host, result = str(data.get("host", "")), data.get("res") or {}
        task = _named(data)
        if kind == "runner_on_unreachable":
            self.unreachable.add(host)
            self.faults.append(Fault(self.service, host, "", _message(result)))
            return
        self.hosts.add(host)
        self.tasks += 1
        if kind == "runner_on_skipped":
            self.skipped += 1
        elif kind == "runner_on_failed":
            if not data.get("ignore_errors"):
                self.faults.append(Fault(self.service, host, task, _message(result)))
        elif result.get("changed") and str(data.get("task_uuid")) not in self._handlers:
            self.drift.append(Drift(self.service, host, task, _files(result)))


def _named(data: Mapping[str, Any]) -> str:
    role, task = str(data.get("role") or ""), str(data.get("task") or "")
    return f"{role}: {task}" if role else task


def _message(result: Mapping[str, Any]) -> str:
    """A failure's one line; nothing of a task that hides what it says."""
    if result.get("censored"):
        return "the task hides what it says: run the playbook by hand"
    return " ".join(str(result.get("msg") or "it failed without a word").split())[:_LONGEST]


def _files(result: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of what would change; never a text of it."""
    found: list[str] = [str(path) for path in result.get("changed_paths") or result.get("steps") or ()]
    diffs = result.get("diff") or ()
    found += [
        str(diff.get("after_header") or diff.get("before_header") or "")
        for diff in (diffs if isinstance(diffs, list) else [diffs])
        if isinstance(diff, Mapping)
    ]
    found += [str(result[key]) for key in ("dest", "path", "name") if isinstance(result.get(key), str)]
    return tuple(dict.fromkeys(name for name in found if name and "\n" not in name and len(name) < _LONGEST))[
        :_MOST_FILES
    ]
