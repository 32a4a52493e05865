#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ppms_info
short_description: What PPMS knows of instruments, groups and people
description:
  - Asks the booking system PPMS and changes nothing. Fails with the cure when the key or the address is wrong.
  - Runs on the controller.
options:
  logins:
    description: People to look up; each takes a call of its own.
    type: list
    elements: str
    default: []
  rights_of:
    description: Instruments whose rights are wanted, by their numbers.
    type: list
    elements: int
    default: []
extends_documentation_fragment: [ppms]
attributes:
  check_mode: {support: full, description: Never changes anything.}
  diff_mode: {support: none, description: There is nothing to show.}
"""

EXAMPLES = r"""
- name: PPMS is asked for its instruments
  ppms_info:
    url: https://ppms.example.org/site/pumapi/
    api_key: "{{ vault_ppms_api_key }}"
    rights_of: [11]
  register: ppms
"""

RETURN = r"""
systems:
  description: The instruments, with number, name, kind, place, active and bookable.
  returned: success
  type: list
  elements: dict
groups:
  description: Logins of the groups.
  returned: success
  type: list
  elements: str
logins:
  description: Logins of all active people.
  returned: success
  type: list
  elements: str
people:
  description: Those of O(logins) that PPMS knows, by login, with names, mail, group and active.
  returned: success
  type: dict
rights:
  description: Kind of right by login, by the instrument's number.
  returned: success
  type: dict
"""

from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.ppms.pumapi import PpmsError
from ansible.module_utils.facility.ppms.task import CONNECTION, connection

ARGUMENTS: dict[str, Any] = {
    **CONNECTION,
    "logins": {"type": "list", "elements": "str", "default": []},
    "rights_of": {"type": "list", "elements": "int", "default": []},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        ppms = connection(module.params)
        ppms.check_key()
        found = {
            "systems": [asdict(system) for system in ppms.systems],
            "groups": ppms.groups,
            "logins": ppms.users(active=True),
            "people": {login: asdict(person) for login, person in ppms.people(module.params["logins"]).items()},
            "rights": {str(system): ppms.rights(system) for system in module.params["rights_of"]},
        }
    except PpmsError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
