#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ppms_right
short_description: Who may use which instrument, in PPMS
description:
  - Gives people their rights on instruments in the booking system PPMS, all in one task, and asks afterwards whether
    they really have them. Rights that aren't named stay.
  - Runs on the controller.
options:
  rights:
    description: The rights.
    type: list
    elements: dict
    required: true
    suboptions:
      system_id:
        description: The instrument's number in PPMS.
        type: int
        required: true
      login:
        description: Whose right.
        type: str
        required: true
      right:
        description: V(A) autonomous, V(N) novice, V(S) superuser, V(D) deactivated.
        type: str
        choices: [A, N, S, D]
        required: true
extends_documentation_fragment: [ppms]
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change.}
  diff_mode: {support: full, description: Shows what differs.}
"""

EXAMPLES = r"""
- name: Trained people use the confocal microscope on their own
  ppms_right:
    url: https://ppms.example.org/site/pumapi/
    api_key: "{{ vault_ppms_api_key }}"
    rights:
      - {system_id: 11, login: aadler, right: A}
      - {system_id: 11, login: bbauer, right: D}
"""

RETURN = r"""
unchanged:
  description: How many were as they should be.
  returned: success
  type: int
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.ppms.pumapi import PpmsError
from ansible.module_utils.facility.ppms.task import CONNECTION, RIGHTS, connection, converge_rights

ARGUMENTS: dict[str, Any] = {
    **CONNECTION,
    "rights": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "system_id": {"type": "int", "required": True},
            "login": {"type": "str", "required": True},
            "right": {"type": "str", "choices": list(RIGHTS), "required": True},
        },
    },
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        result = converge_rights(connection(module.params), module.params["rights"], check_mode=module.check_mode)
    except PpmsError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
