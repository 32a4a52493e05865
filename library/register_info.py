#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: register_info
short_description: Read the people register and refuse it with all its problems at once
description:
  - Reads and checks the register and the facility's own data before anything is changed.
  - Each problem is one line that names file, entry, what is wrong and the cure.
  - Runs where the register is, usually on the controller (delegated to localhost).
options:
  path:
    description: >-
      The register's folder, which holds C(people.yml); if the pages' export was fetched into it, that says who there
      is, and C(people.yml) who the IT administrators are.
    type: path
    required: true
  facility:
    description:
      - What the facility is, C(research_groups), C(instruments) and C(time_zone).
      - Shapes as in C(group_vars/all/facility.yml) of the example inventory.
    type: dict
    required: true
attributes:
  check_mode: {support: full, description: Never changes anything.}
  diff_mode: {support: none, description: There is nothing to show.}
requirements: [PyYAML]
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: Read the register
  register_info:
    path: "{{ inventory_dir }}/register"
    facility:
      research_groups: "{{ facility_research_groups }}"
      instruments: "{{ facility_instruments }}"
      time_zone: "{{ facility_time_zone }}"
  register: people_register
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
people:
  description: >-
    The people, sorted by login, with login, given_name, family_name, mail, kind, research_group and valid_until
    (both may be null).
  returned: success
  type: list
  elements: dict
research_groups:
  description: The research groups, with name and title, and omero and owner where they are given.
  returned: success
  type: list
  elements: dict
instruments:
  description: >-
    The instruments, with name, title, host, location and biosafety, and what else is given, as ppms_system_id and what
    they demand of people (docs/services/people.md).
  returned: success
  type: list
  elements: dict
time_zone:
  description: The facility's time zone.
  returned: success
  type: str
problems:
  description: All problems, one line each; msg holds the same lines.
  returned: failure
  type: list
  elements: str
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.people.inventory import register_of
from ansible.module_utils.facility.people.register import RegisterError

ARGUMENTS: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "facility": {"type": "dict", "required": True},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        register = register_of(Path(module.params["path"]), module.params["facility"])
    except RegisterError as error:
        module.fail_json(msg=str(error), problems=error.problems)
    module.exit_json(changed=False, **register)


if __name__ == "__main__":
    main()
