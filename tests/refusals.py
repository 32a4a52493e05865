# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that a role must refuse, all in one play: Ansible's own start costs more than a refusal."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.scenario import Played, played

Settings = Mapping[str, Any]


class Refusals:
    """What a role said to each of several settings.

    Attributes:
        run: the play; it ends well, and changed nothing where each of the settings was refused before anything changed.
    """

    def __init__(self, run: Played, said: Mapping[str, str]) -> None:
        """Keep what was said, by settings as ``key`` writes them."""
        self.run = run
        self._said = said

    def said(self, settings: Settings) -> str:
        """Return, as one line, why the role refused these settings.

        Raises:
            AssertionError: when it did not.
        """
        assert key(settings) in self._said, f"{settings} were not refused:\n{self.run.stdout[-3000:]}"
        return self._said[key(settings)]


def key(settings: Settings) -> str:
    """Return settings as one text."""
    return json.dumps(settings, sort_keys=True)


def refusals(role: str, host: str, cases: Sequence[Settings], folder: Path, *options: str) -> Refusals:
    """Run a role on a host of the scenario with each of several settings; each run ends where the role refuses them.

    Args:
        role: its name.
        host: a host's name in the scenario's inventory.
        cases: variables of the role, beside those that the host has.
        folder: where the play and what came of it are written.
        options: more for ansible-playbook.
    """
    said = folder / f"refusals-of-{role}.json"
    (book := folder / f"refusals-of-{role}.yml").write_text(json.dumps(_play(role, host, cases, said)))
    said.unlink(missing_ok=True)
    run = played(book, *options)
    assert said.exists(), run.stdout[-6000:] + run.stderr
    kept = json.loads(said.read_text())
    return Refusals(run, {key(cases[int(number) - 1]): _line(json.loads(result)) for number, result in kept.items()})


def refused_by(role: str, host: str, cases: Sequence[tuple[Settings, str]]) -> Any:
    """Return a fixture: what a role said to the settings of each case, a pair of these and the words wanted."""

    @pytest.fixture(scope="module")
    def refused(tmp_path_factory: pytest.TempPathFactory) -> Refusals:
        return refusals(role, host, [settings for settings, _ in cases], tmp_path_factory.mktemp("refusals"))

    return refused


def _play(role: str, host: str, cases: Sequence[Settings], said: Path) -> list[dict[str, Any]]:
    blocks = [
        {
            "name": f"Settings {number} are refused",
            "block": [{"name": f"Role {role} runs", "ansible.builtin.include_role": {"name": role}, "vars": settings}],
            "rescue": [
                {
                    "name": "Its refusal is kept",
                    "ansible.builtin.set_fact": {
                        "refusals": "{{ refusals | combine({case: ansible_failed_result | to_json}) }}"
                    },
                    "vars": {"case": str(number)},
                }
            ],
        }
        for number, settings in enumerate(cases, 1)
    ]
    note = {
        "name": "Refusals are written down",
        "ansible.builtin.copy": {"content": "{{ refusals | to_json }}", "dest": str(said), "mode": "0600"},
        "delegate_to": "localhost",
        "changed_when": False,
    }
    start = {"name": "Nothing is refused yet", "ansible.builtin.set_fact": {"refusals": {}}}
    return [{"name": "Refuse", "hosts": host, "gather_facts": False, "tasks": [start, *blocks, note]}]


def _line(result: Mapping[str, Any]) -> str:
    """Return all that a failed task said, as one line; of a loop what its failed items said."""
    items = [item for item in result.get("results", []) if item.get("failed")]
    return re.sub(r"\s+", " ", " ".join(str(one.get("msg", one)) for one in items or [result]))
