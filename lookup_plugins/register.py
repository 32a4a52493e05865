# SPDX-License-Identifier: GPL-3.0-or-later
"""The people register, checked: the lookup plugin register."""

from __future__ import annotations

DOCUMENTATION = r"""
name: register
short_description: Read the people register, and refuse it with all its problems at once
description:
  - The same check as module M(register_info), for variables. What is wrong with it stops whatever asks for it.
options:
  _terms:
    description: >-
      The register's folder, which holds C(people.yml); if the pages' export was fetched into it, that says who there
      is, and C(people.yml) who the IT administrators are.
    required: true
  research_groups:
    description: As in C(group_vars/all/facility.yml) of the example inventory; so are the two others.
    type: list
    elements: dict
    required: true
  instruments:
    description: The instruments.
    type: list
    elements: dict
    required: true
  time_zone:
    description: The facility's time zone.
    type: str
    required: true
"""

EXAMPLES = r"""
people_register: >-
  {{ lookup('register', inventory_dir ~ '/register', research_groups=facility_research_groups,
     instruments=facility_instruments, time_zone=facility_time_zone) }}
"""

RETURN = r"""
_raw:
  description: One register, with people, research_groups, instruments and time_zone as M(register_info) returns them.
  type: list
  elements: dict
"""

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

# Ansible loads a plugin by its path: the package beside it isn't on Python's.
sys.path.append(str(Path(__file__).resolve().parents[1] / "src"))

from facility.people.inventory import register_of
from facility.people.register import RegisterError


class LookupModule(LookupBase):  # type: ignore[misc]  # Ansible has no types.
    """The plugin; Ansible wants this name."""

    def run(self, terms: list[str], variables: Any = None, **options: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - Ansible's signature
        """Return the register of each folder.

        Raises:
            AnsibleError: with all problems of the first one that has any.
        """
        self.set_options(var_options=variables, direct=options)
        facility = {name: self.get_option(name) for name in ("research_groups", "instruments", "time_zone")}
        try:
            return [dict(register_of(Path(folder), facility)) for folder in terms]
        except RegisterError as error:
            raise AnsibleError(str(error)) from None
