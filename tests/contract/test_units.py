# SPDX-License-Identifier: GPL-3.0-or-later
"""Units of roles are locked in by filter sandbox alone, so that an exception is seen and nothing is forgotten."""

from __future__ import annotations

import re
from collections.abc import Mapping

from facility.core.sandbox import DIRECTIVES
from tests.conftest import REPOSITORY

# Also what systemd has of this kind and the filter doesn't know yet.
HARDENING = re.compile(
    rf"(?m)^[ \t]*((?:{'|'.join(sorted(DIRECTIVES))}"
    r"|(?:Protect|Private|Restrict(?!ed)|SystemCall|MemoryDeny|Inaccessible|ReadOnly|ReadWrite)[A-Za-z]+)[ \t]*=.*)$"
)
# Parts of Debian's units that must be able to change the whole system.
OPEN = {"roles/base/templates/updates-service.conf.j2"}


def unit_files() -> dict[str, str]:
    """What roles put on a host as a service's unit, or a part of one, by path."""
    files = [file for file in sorted((REPOSITORY / "roles").rglob("*")) if file.is_file()]
    texts = {
        file.relative_to(REPOSITORY).as_posix(): file.read_text(encoding="utf-8")
        for file in files
        if {"templates", "files"} & set(file.parts)
    }
    return {name: text for name, text in texts.items() if re.search(r"(?m)^\[Service\]$", text)}


def written_by_hand(files: Mapping[str, str]) -> list[str]:
    """Directives that belong into filter sandbox."""
    return [f"{name}: {found}" for name, text in files.items() for found in HARDENING.findall(text)]


def open_units(files: Mapping[str, str]) -> list[str]:
    """Units that aren't locked in."""
    return [name for name, text in files.items() if not re.search(r"\|\s*sandbox\s*\}\}", text)]


def test_no_unit_s_sandbox_is_written_by_hand():
    assert unit_files()
    assert written_by_hand(unit_files()) == [], (
        "give it to filter sandbox, as {{ {'ReadWritePaths': ['/srv/x']} | sandbox }}; see docs/style-guide.md, Roles"
    )


def test_every_service_of_a_role_is_locked_in():
    assert set(unit_files()) > OPEN
    locked = {name: text for name, text in unit_files().items() if name not in OPEN}
    assert open_units(locked) == [], "end its section [Service] with {{ {} | sandbox }}, see core/sandbox.py"


def test_somebody_is_told_of_every_service_that_systemd_starts_again_and_again():
    """Not by its own OnFailure, which systemd heeds only when it gives up: a look at all of them, on every host."""
    started = (REPOSITORY / "roles/base/tasks/configure.yml").read_text(encoding="utf-8")
    assert "{name: facility-restarts.timer, state: started, enabled: true}" in started
    look = (REPOSITORY / "roles/base/templates/facility-restarts.service.j2").read_text(encoding="utf-8")
    assert re.search(r"facility\.host\.restarts \S+ facility-mail@%%s\.service", look)
    servers = (REPOSITORY / "playbooks/base.yml").read_text(encoding="utf-8")
    assert "roles: [base]" in servers


def test_a_directive_by_hand_and_an_open_unit_are_found():
    good = "[Service]\nRestart=always\nUMask=0077\n# ProtectHome=true would hide it.\n{{ {} | sandbox }}\n"
    assert written_by_hand({"good": good}) == []
    assert open_units({"good": good}) == []
    for line in ("ProtectHome=true", "  NoNewPrivileges = no", "ReadWritePaths={{ wiki_data }}", "PrivateBPF=yes"):
        assert written_by_hand({"bad": f"{good}{line}\n"}) == [f"bad: {line.strip()}"]
    assert open_units({"bad": "[Service]\nRestart=always\n"}) == ["bad"]
