# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of the example's inventory that a test may spoil, and the playbooks that an IT administrator runs with it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
DEMO_PASSWORDS = REPOSITORY / "build" / "demo-passwords"
EXAMPLE = REPOSITORY / "inventories" / "example"
NEWCOMER = {
    "login": "nnewman",
    "given_name": "Nora",
    "family_name": "Newman",
    "mail": "nora.newman@neuro.example.org",
    "research_group": "neuro",
    "kind": "researcher",
    "valid_until": "2030-12-31",
}
# Briefings run out, so that no fixed day will do.
YESTERDAY = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
SESSIONS = [
    {"id": "more-safety", "requirement": "safety-briefing", "date": YESTERDAY, "by": "tthoma", "form": "oral"},
    {"id": "more-laser", "requirement": "laser-safety", "date": YESTERDAY, "by": "tthoma", "form": "electronic"},
    {"id": "more-training", "instrument": "confocal-1", "date": YESTERDAY, "by": "tthoma", "form": "oral"},
]


def play(site: Path, playbook: str, *arguments: str) -> tuple[int, str]:
    """Run a playbook; return its status and its output with blanks folded."""
    command = ["ansible-playbook", "-i", str(site / "hosts.yml"), f"playbooks/{playbook}", *arguments]
    environment = {**os.environ, "ANSIBLE_RESULT_FORMAT": "json"}
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, env=environment)
    return done.returncode, " ".join((done.stdout + done.stderr).replace("\\n", " ").split())


def changes(output: str) -> int:
    """How many tasks of the controller itself changed something: the wiki's page has a line of its own."""
    return int(re.findall(r"localhost\s*: ok=\d+\s+changed=(\d+)", output)[-1])


def edit(path: Path, change: Callable[[Any], object]) -> None:
    """Change a YAML file's data."""
    data = yaml.safe_load(path.read_text())
    change(data)
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False))


def people(site: Path) -> Path:
    """The register's file of people."""
    return site / "register" / "people.yml"


def recorded(site: Path, **facts: list[dict[str, Any]]) -> None:
    """Record facts about people as staff do, in a file of their own."""
    noted = {"recorded_by": "tthoma", "recorded_at": YESTERDAY}
    lists = {kind: [{**entry, **noted} for entry in entries] for kind, entries in facts.items()}
    (site / "register/facts/more.yml").write_text(yaml.safe_dump(lists))


def attended(sessions: list[dict[str, Any]], *logins: str) -> dict[str, list[dict[str, Any]]]:
    """The facts that sessions were held and that these people were there."""
    return {
        "sessions": [{**session, "state": "held"} for session in sessions],
        "attendances": [
            {"id": f"{session['id']}-{login}", "session": session["id"], "person": login, "result": "passed"}
            for session in sessions
            for login in logins
        ],
    }


def demo_password(login: str) -> str:
    """The password that the test bed gave somebody of the example."""
    return (DEMO_PASSWORDS / login).read_text().strip()


def initial_password(login: str) -> str:
    """The password that people.yml made for a login."""
    return (EXAMPLE / "secrets/initial-passwords" / login).read_text().strip()


def remove_account(site: Path, login: str) -> None:
    """Take an account away, and its password, whatever the copy's wiring has become."""
    removal = site.parent / "remove.yml"
    task = {
        "name": "The newcomer is gone",
        "directory_user": {"ou": "{{ people_unit }}", "users": [{"login": login}], "state": "absent"},
    }
    play_of_one = {"name": "Remove", "hosts": "localhost", "gather_facts": False, "tasks": [task]}
    play_of_one["module_defaults"] = {"directory_user": "{{ people_directory }}"}
    removal.write_text(json.dumps([play_of_one]))
    command = ["ansible-playbook", "-i", str(EXAMPLE / "hosts.yml"), str(removal)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    (EXAMPLE / "secrets/initial-passwords" / login).unlink(missing_ok=True)
