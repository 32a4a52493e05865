# SPDX-License-Identifier: GPL-3.0-or-later
"""What roles say of themselves, for wiring.yml, for acts and of other hosts: the variables plugin role_interfaces."""

from __future__ import annotations

DOCUMENTATION = r"""
name: role_interfaces
short_description: Know the interface of every role of the checkout, wherever a variable is read
description:
  - Ansible knows a role's defaults only while that role runs. An act that restores what a role made, or wiring.yml that
    hands one role's folder to another, would have to write them down again.
  - This plugin gives every host, as the weakest of all variables, the defaults of all roles (C(defaults/main.yml)) and
    their public constants (names in C(vars/main.yml) that don't begin with an underscore).
  - It also sets C(facility_services), a dictionary with an entry for each role, of what its C(meta/facility.yml) says.
    Expressions in it are filled in for the host that is asked.
  - Whatever an inventory says of a variable wins, also where it stands in the inventory's file itself.
extends_documentation_fragment: [vars_plugin_staging]
"""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ansible import constants, context
from ansible.inventory.group import Group
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.vars import BaseVarsPlugin


class VarsModule(BaseVarsPlugin):  # type: ignore[misc]  # Ansible has no types.
    """The plugin; Ansible wants this name."""

    def get_vars(self, loader: DataLoader, path: str, entities: list[Any], cache: bool = True) -> dict[str, Any]:
        """Return the roles' interfaces for the group all, and for others what they say against them.

        Ansible asks for each inventory and each folder of a playbook; a later answer would win over what an earlier
        inventory says.
        """
        groups = [one for one in entities if isinstance(one, Group)]
        if not groups or path != _first_inventory():
            return {}
        known = interfaces(loader)
        found = dict(known) if groups[0].name == "all" else {}
        for group in groups:
            # In the inventory's file itself: for Ansible this is weaker than a plugin's answer.
            found |= {name: value for name, value in group.vars.items() if name in known}
        return found


def _first_inventory() -> str:
    sources = [source for source in context.CLIARGS.get("inventory") or [] if "," not in source]
    if not sources:
        return ""
    first = Path(sources[0])
    return str(first if first.is_dir() else first.parent)


@functools.cache
def interfaces(loader: DataLoader) -> Mapping[str, Any]:
    """Return the variables of all roles in Ansible's roles_path, and facility_services."""
    found: dict[str, Any] = {}
    services: dict[str, Any] = {}
    roles = [
        role for folder in constants.DEFAULT_ROLES_PATH for role in sorted(Path(folder).glob("*")) if role.is_dir()
    ]
    for role in roles:
        constant = {name: value for name, value in _read(loader, role / "vars/main.yml").items() if name[0] != "_"}
        found |= constant | _read(loader, role / "defaults/main.yml")
        services.setdefault(role.name, _read(loader, role / "meta/facility.yml"))
    return found | {"facility_services": services}


def _read(loader: DataLoader, path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    # As Ansible reads group_vars: what stands there may hold expressions.
    said = loader.load_from_file(str(path), cache="all", unsafe=True, trusted_as_template=True)
    return cast("dict[str, Any]", said or {})
