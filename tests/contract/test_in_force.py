# SPDX-License-Identifier: GPL-3.0-or-later
"""No change waits for a handler: a run that is killed before it would lose it, and the next one would see nothing.

What a service reads is named beside its unit (systemd_units, decision 0035) and compared with when it read it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_roles import ROLES, shown, tasks_in

# What may get lost, and why that harms nobody.
LOSABLE = {
    ("backup_server", "Judge the backups anew"): "its timer judges them again within a quarter of an hour",
    ("ldap_directory", "The first DC knows this one's new key"): "its old tickets end by themselves within ten hours",
}
# What restarts or reloads by itself, and is a state nevertheless.
BY_ITSELF = {
    ("controller", "Systemd has forgotten jobs that left controller_jobs"): "nothing of them runs any more",
    ("certificates", "Services that serve another certificate than the host's file are reloaded"): "asks the ports",
}
# Nothing of the facility's is read by these.
READ_NOTHING = {"postgresql.service": "stands for the cluster's own unit"}
AGAIN = re.compile(r"state': '(restarted|reloaded)|systemctl.*(restart|reload)|daemon[-_]reload")


def files(folder: str) -> list[tuple[Path, Path]]:
    return [(role, file) for role in ROLES for file in sorted((role / folder).glob("*.yml"))]


def units_of(task: dict[str, Any]) -> Any:
    return (task.get("systemd_units") or {}).get("units", [])


def names(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def waiting(role: str, task: dict[str, Any]) -> list[str]:
    """Handlers that a task leaves its change to."""
    return [name for name in names(task.get("notify")) if (role, name) not in LOSABLE]


def restarting(role: str, task: dict[str, Any]) -> bool:
    """Whether a task restarts or reloads a unit, or would have systemd read units anew, because something changed."""
    modules = [key for key in task if re.fullmatch(r"ansible\.builtin\.(systemd\w*|service|command|shell)", key)]
    doing = {key: task[key] for key in (*modules, "loop") if key in task}
    known = {**LOSABLE, **BY_ITSELF}
    return bool(modules) and (role, task.get("name")) not in known and bool(AGAIN.search(str(doing)))


def silent(task: dict[str, Any]) -> list[str]:
    """Services that shall run, of which nothing says what they read."""
    units = units_of(task)
    if isinstance(units, str):
        return []
    return [
        unit["name"]
        for unit in units
        if unit.get("state") == "started" and unit["name"].endswith((".service", "_unit }}"))
        if not {"restart_for", "reload_for"} & set(unit) and unit["name"] not in READ_NOTHING
    ]


def test_no_change_is_left_to_a_handler():
    found = [
        f"{shown(file)}: {task.get('name')} notifies {name}"
        for role, file in [*files("tasks"), *files("handlers")]
        for task in tasks_in(file)
        for name in waiting(role.name, task)
    ]
    assert found == [], "name the file in restart_for or reload_for of its unit, see library/systemd_units.py"


def test_nothing_restarts_or_reloads_a_unit_but_the_module_that_sees_whether_it_must():
    found = [
        f"{shown(file)}: {task.get('name')}"
        for role, file in [*files("tasks"), *files("handlers")]
        for task in tasks_in(file)
        if restarting(role.name, task)
    ]
    assert found == [], "name the file in restart_for or reload_for of its unit, see library/systemd_units.py"


# Lists that a template makes (backup_server, controller) are not looked into: their scenarios do.
def test_every_service_that_shall_run_says_what_it_reads():
    told = [(file, task) for _, file in files("tasks") for task in tasks_in(file) if units_of(task)]
    assert told
    found = [f"{shown(file)}: {name}" for file, task in told for name in silent(task)]
    assert found == [], "add restart_for or reload_for, see library/systemd_units.py"


@pytest.mark.parametrize(
    "task",
    [
        {"name": "a", "ansible.builtin.systemd_service": {"name": "a", "state": "restarted"}},
        {"name": "a", "ansible.builtin.command": {"argv": ["systemctl", "try-reload-or-restart", "a"]}},
        {"name": "a", "ansible.builtin.systemd_service": {"daemon_reload": True}},
    ],
)
def test_a_restart_by_hand_is_found(task):
    assert restarting("wiki", task)
    assert waiting("wiki", {**task, "notify": "Restart a"}) == ["Restart a"]
    assert silent({"systemd_units": {"units": [{"name": "a.service", "state": "started"}]}}) == ["a.service"]
