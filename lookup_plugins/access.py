# SPDX-License-Identifier: GPL-3.0-or-later
"""What the systems should hold of everybody, decided from policy and facts: the lookup plugin access."""

from __future__ import annotations

DOCUMENTATION = r"""
name: access
short_description: Decide who may do what, and say what every system should hold of everybody
description:
  - Reads the register (C(people.yml) and C(facts/*.yml)) and the policy, refuses both with all problems at once, and
    decides about everybody on a day. See C(docs/services/people.md).
extends_documentation_fragment: [policy]
"""

EXAMPLES = r"""
people_access: >-
  {{ lookup('access', inventory_dir ~ '/register', research_groups=facility_research_groups,
     instruments=facility_instruments, time_zone=facility_time_zone, requirements=facility_requirements) }}
"""

RETURN = r"""
_raw:
  description: >-
    One dictionary a folder, by login, with untouched (an IT administrator, of whom nothing is wanted), directory
    (enabled, account_expires, groups, log_on, doors), ppms (known, and rights as a list of system_id, login and right),
    omero, share and wiki.
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

from facility.people.inventory import wishes_of_register
from facility.people.policy import KEYS
from facility.people.register import RegisterError


class LookupModule(LookupBase):  # type: ignore[misc]  # Ansible has no types.
    """The plugin; Ansible wants this name."""

    def run(self, terms: list[str], variables: Any = None, **options: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - Ansible's signature
        """Return the wishes of each folder.

        Raises:
            AnsibleError: with all problems of the first one that has any.
        """
        self.set_options(var_options=variables, direct=options)
        facility = {name: self.get_option(name) for name in KEYS}
        try:
            return [dict(wishes_of_register(Path(folder), facility)) for folder in terms]
        except RegisterError as error:
            raise AnsibleError(str(error)) from None
