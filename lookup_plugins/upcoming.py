# SPDX-License-Identifier: GPL-3.0-or-later
"""What ends soon and what is planned, as a page of the wiki: the lookup plugin upcoming."""

from __future__ import annotations

DOCUMENTATION = r"""
name: upcoming
short_description: Say what ends soon and which sessions are planned, without anybody's name
description:
  - Reads the register and the policy as lookup P(access#lookup) does, and counts how many briefings, trainings and
    accounts end within some days. See C(docs/services/people.md).
options:
  address:
    description: Address of the register's pages, with a slash at the end; empty, where there are none.
    type: str
    default: ""
extends_documentation_fragment: [policy]
"""

EXAMPLES = r"""
people_upcoming: >-
  {{ lookup('upcoming', inventory_dir ~ '/register', research_groups=facility_research_groups,
     instruments=facility_instruments, time_zone=facility_time_zone, requirements=facility_requirements) }}
"""

RETURN = r"""
_raw:
  description: One page a folder, in DokuWiki's syntax.
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

from facility.people.inventory import upcoming_of_register
from facility.people.policy import KEYS
from facility.people.register import RegisterError


class LookupModule(LookupBase):  # type: ignore[misc]  # Ansible has no types.
    """The plugin; Ansible wants this name."""

    def run(self, terms: list[str], variables: Any = None, **options: Any) -> list[str]:  # noqa: ANN401 - Ansible's signature
        """Return the page of each folder.

        Raises:
            AnsibleError: with all problems of the first one that has any.
        """
        self.set_options(var_options=variables, direct=options)
        facility = {name: self.get_option(name) for name in KEYS}
        try:
            return [upcoming_of_register(Path(folder), facility, self.get_option("address")) for folder in terms]
        except RegisterError as error:
            raise AnsibleError(str(error)) from None
