#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ppms_user
short_description: People in PPMS are as the register says
description:
  - Makes and changes people in the booking system PPMS through its interface PUMAPI, all in one task.
  - Nobody is deleted, for PPMS keeps who used what; whoever leaves becomes inactive.
  - A group that PPMS doesn't have is refused, because PPMS would silently make it.
  - Runs on the controller.
options:
  users:
    description: The people. Options that are left out stay as they are.
    type: list
    elements: dict
    required: true
    suboptions:
      login:
        description: The login, the same as in the directory.
        type: str
        required: true
      given_name:
        description: Given name; needed for somebody new.
        type: str
      family_name:
        description: Family name; needed for somebody new.
        type: str
      mail:
        description: Mail address; needed for somebody new.
        type: str
      group:
        description: Login of the person's group (unit) in PPMS; needed for somebody new.
        type: str
      active:
        description: Whether the person may book and use instruments.
        type: bool
        default: true
  existing:
    description:
      - What becomes of people whom PPMS has. V(update) brings them to what O(users) says; that takes a call a person.
      - V(keep) only makes who is missing. The group is who pays, and at some sites PPMS's own to say.
    type: str
    choices: [update, keep]
    default: update
extends_documentation_fragment: [ppms]
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change.}
  diff_mode: {support: full, description: Shows what differs.}
"""

EXAMPLES = r"""
- name: People can book
  ppms_user:
    url: https://ppms.example.org/site/pumapi/
    api_key: "{{ vault_ppms_api_key }}"
    users:
      - {login: aadler, given_name: Anna, family_name: Adler, mail: aadler@example.org, group: neuro}
      - {login: bbauer, active: false}

- name: Newcomers are known, and nobody else is changed
  ppms_user:
    url: https://ppms.example.org/site/pumapi/
    api_key: "{{ vault_ppms_api_key }}"
    users: "{{ people_access | ppms_users(people_register, facility_ppms_staff_group) }}"
    existing: keep
"""

RETURN = r"""
created:
  description: Logins that were made, or would be in check mode.
  returned: success
  type: list
  elements: str
updated:
  description: Logins that were changed.
  returned: success
  type: list
  elements: str
unchanged:
  description: How many were as they should be.
  returned: success
  type: int
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.ppms.pumapi import PpmsError
from ansible.module_utils.facility.ppms.task import CONNECTION, connection, converge_users

ARGUMENTS: dict[str, Any] = {
    **CONNECTION,
    "users": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "login": {"type": "str", "required": True},
            "given_name": {"type": "str"},
            "family_name": {"type": "str"},
            "mail": {"type": "str"},
            "group": {"type": "str"},
            "active": {"type": "bool", "default": True},
        },
    },
    "existing": {"type": "str", "choices": ["update", "keep"], "default": "update"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        result = converge_users(
            connection(module.params),
            module.params["users"],
            check_mode=module.check_mode,
            keep_existing=module.params["existing"] == "keep",
        )
    except PpmsError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
