# SPDX-License-Identifier: GPL-3.0-or-later
"""What all directory modules share: the connection's options, and got -> wanted -> plan -> apply with its report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from ansible.module_utils.basic import env_fallback

from ..core.plan import Change, Plan
from . import port as directory
from .port import DirectoryPort
from .server import DirectoryError, Server

_SHOWN_FAILURES = 3


def _environment(option: str) -> tuple[Any, list[str]]:
    return (env_fallback, [f"FACILITY_DIRECTORY_{option.upper()}"])


CONNECTION_OPTIONS: dict[str, Any] = {
    "server_uri": {"type": "str", "required": True, "fallback": _environment("server_uri")},
    "bind_dn": {"type": "str", "required": True, "fallback": _environment("bind_dn")},
    "bind_password": {"type": "str", "required": True, "no_log": True, "fallback": _environment("bind_password")},
    "ca_file": {"type": "path", "fallback": _environment("ca_file")},
    "start_tls": {"type": "bool", "default": False, "fallback": _environment("start_tls")},
    "timeout": {"type": "int", "default": 30, "fallback": _environment("timeout")},
}


class DirectoryTask(Protocol):
    """One kind of object: how to plan it and how to make one change. Both raise DirectoryError."""

    def plan(self, directory: DirectoryPort) -> Plan:
        """Read what is there, compare; refuse what can't work, before anything is written."""

    def apply(self, directory: DirectoryPort, change: Change) -> None:
        """Make one change of the plan."""


@dataclass(slots=True)
class Result:
    """What a module hands to exit_json (failure is None) or fail_json."""

    values: dict[str, Any] = field(default_factory=dict)
    failure: str | None = None


def server_of(params: Mapping[str, Any]) -> Server:
    """The server from a module's parameters."""
    return Server(
        uri=params["server_uri"],
        bind_dn=params["bind_dn"],
        bind_password=params["bind_password"],
        ca_file=params["ca_file"],
        start_tls=params["start_tls"],
        timeout=params["timeout"],
    )


def report(params: Mapping[str, Any], question: Callable[[DirectoryPort], dict[str, Any]]) -> Result:
    """Ask the directory something, changing nothing."""
    try:
        with _opened(params) as port:
            return Result({"changed": False, **question(port)})
    except DirectoryError as error:
        return Result({"kind": error.kind}, str(error))


def converge(params: Mapping[str, Any], task: DirectoryTask, *, check_mode: bool) -> Result:
    """Bring the directory to what the task wants.

    An object that the server rejects doesn't keep the others from being done; a lost server or a missing unit ends the
    run, because it would fail all others, too. Either way the result says what was done, and the next run continues.
    """
    done: list[Change] = []
    failures: list[tuple[str, DirectoryError]] = []
    try:
        with _opened(params) as port:
            plan = task.plan(port)
            for change in plan.changes:
                if not check_mode:
                    try:
                        task.apply(port, change)
                    except DirectoryError as error:
                        failures.append((change.key, error))
                        if error.kind != "rejected":
                            break
                        continue
                done.append(change)
    except DirectoryError as error:
        return Result({"kind": error.kind, "changed": bool(done)}, str(error))
    return _result_of(plan, Plan(tuple(done), plan.unchanged), failures)


def _opened(params: Mapping[str, Any]) -> AbstractContextManager[DirectoryPort]:
    return directory.open_directory(server_of(params))


def _result_of(plan: Plan, made: Plan, failures: list[tuple[str, DirectoryError]]) -> Result:
    values = {
        "changed": made.changed,
        "created": made.keys("create"),
        "updated": made.keys("update"),
        "deleted": made.keys("delete"),
        "unchanged": made.unchanged,
        "diff": made.diff(),
    }
    if not failures:
        return Result(values)
    values["kind"] = failures[0][1].kind
    values["failures"] = [{"name": key, "why": str(error)} for key, error in failures]
    shown = "; ".join(f"{key}: {error}" for key, error in failures[:_SHOWN_FAILURES])
    more = f"; and {len(failures) - _SHOWN_FAILURES} more" if len(failures) > _SHOWN_FAILURES else ""
    counts = f"{len(made.changes)} of {len(plan.changes)} changes done, {len(failures)} failed"
    return Result(values, f"{counts}, the next run continues. {shown}{more}")
