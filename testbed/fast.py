# SPDX-License-Identifier: GPL-3.0-or-later
"""Which scenarios Ansible plays over Mitogen: all but one, while the pinned Mitogen is there.

Decision 0022 says why, and why only scenarios. FACILITY_FAST=0 in the environment turns it off.
"""

import importlib.metadata
import re
from collections.abc import Mapping

from testbed.paths import REPOSITORY

SWITCH = "FACILITY_FAST"
PLAIN = {"base"}
"""Played by Ansible's own strategy, always: cheap, and yet with packages, files, handlers, modules of a collection,
tasks on the controller, and a second run. What works over Mitogen alone is found here, or by the facility, which is
plain, too."""


def strategy(scenario: str, environment: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Return what the environment of a scenario needs on top, and one line about it; the line is "" where all is usual.

    Tests hand their environment on to playbooks that they start themselves.
    """
    if environment.get(SWITCH, "1") == "0":
        return {}, f"Ansible's own strategy: {SWITCH}=0"
    if scenario in PLAIN:
        return {}, f"Ansible's own strategy: scenario {scenario} always has it (testbed/fast.py)"
    wanted, found = pinned(), available()
    if wanted != found:
        return {}, f"Ansible's own strategy: mitogen {found or 'none'} is there, not {wanted}; make venv brings it"
    folder = REPOSITORY / "testbed" / "strategy"
    return {"ANSIBLE_STRATEGY": "facility_fast", "ANSIBLE_STRATEGY_PLUGINS": str(folder)}, ""


def pinned() -> str:
    """Return the version of Mitogen in the lock."""
    found = re.search(r"^mitogen==(\S+)", (REPOSITORY / "requirements.lock").read_text(), re.MULTILINE)
    return found[1] if found else "in no lock"


def available() -> str:
    """Return the version of Mitogen that Ansible would use; "" for none."""
    try:
        return importlib.metadata.version("mitogen")
    except importlib.metadata.PackageNotFoundError:
        return ""
