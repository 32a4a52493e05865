# SPDX-License-Identifier: GPL-3.0-or-later
"""All facts about people as one text, as the register's host takes them: the lookup plugin register_export."""

from __future__ import annotations

DOCUMENTATION = r"""
name: register_export
short_description: Give all facts about people as JSON Lines
description:
  - Reads the register's folder (C(people.yml) and C(facts/*.yml), or the export that was fetched into it) and the
    policy, refuses both with all problems at once, and gives the facts as C(facility-register read_in) takes them. IT
    administrators are not among them.
extends_documentation_fragment: [policy]
"""

EXAMPLES = r"""
register_seed: >-
  {{ lookup('register_export', inventory_dir ~ '/register', research_groups=facility_research_groups,
     instruments=facility_instruments, time_zone=facility_time_zone, requirements=facility_requirements) }}
"""

RETURN = r"""
_raw:
  description: One text a folder, see C(src/facility/people/interchange.py).
  type: list
  elements: str
"""

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

# Ansible loads a plugin by its path: the package beside it isn't on Python's.
sys.path.append(str(Path(__file__).resolve().parents[1] / "src"))

from facility.people.interchange import written
from facility.people.inventory import facts_of_register
from facility.people.policy import KEYS
from facility.people.register import RegisterError


class LookupModule(LookupBase):  # type: ignore[misc]  # Ansible has no types.
    """The plugin; Ansible wants this name."""

    def run(self, terms: list[str], variables: Any = None, **options: Any) -> list[str]:  # noqa: ANN401 - Ansible's signature
        """Return the export of each folder.

        Raises:
            AnsibleError: with all problems of the first one that has any.
        """
        self.set_options(var_options=variables, direct=options)
        facility = {name: self.get_option(name) for name in KEYS}
        try:
            return [written(facts_of_register(Path(folder), facility).facts) for folder in terms]
        except RegisterError as error:
            raise AnsibleError(str(error)) from None
