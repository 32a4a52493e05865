#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: directory_delegation
short_description: Let an account make and change users, groups or computers in some units, or set passwords there
description:
  - Grants what Windows' delegation wizard calls "create, delete and manage user accounts" and the same for groups.
  - Adds access control entries to the units; entries of others stay, none is taken away.
  - >-
    Use it instead of the built-in group Account Operators. Active Directory protects its administrators from that
    group, Samba does not: a member could set the password of Administrator.
  - Runs on a Samba domain controller as root, with the Python of Debian's C(python3-samba).
options:
  account:
    description: C(sAMAccountName) of the account that is given the rights.
    type: str
    required: true
  units:
    description: DNs of the units.
    type: list
    elements: str
    required: true
  classes:
    description:
      - What the account may make and change there. With V(computer) it may join hosts to the domain.
      - With V(password) it may set the passwords of users that are there, and unlock them, and change nothing else.
    type: list
    elements: str
    choices: [user, group, computer, password]
    default: [user, group]
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change.}
  diff_mode: {support: full, description: "Shows the entries that are missing, in SDDL."}
requirements: [python3-samba]
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: The controller's account manages people and groups
  directory_delegation:
    account: svc-controller
    units: ["OU=People,DC=imaging,DC=example,DC=org", "OU=Groups,DC=imaging,DC=example,DC=org"]

- name: Servers join the domain with an account that can do nothing else
  directory_delegation:
    account: svc-join
    units: ["OU=Servers,DC=imaging,DC=example,DC=org"]
    classes: [computer]

- name: People who have forgotten their password get another through the register
  directory_delegation:
    account: svc-register
    units: ["OU=Researchers,OU=People,DC=imaging,DC=example,DC=org"]
    classes: [password]
"""

RETURN = r"""
added:
  description: For each unit that lacked some, the entries that were added, in SDDL.
  returned: success
  type: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.directory.delegation import CLASSES, PASSWORDS, DelegationError, delegate

ARGUMENTS: dict[str, Any] = {
    "account": {"type": "str", "required": True},
    "units": {"type": "list", "elements": "str", "required": True},
    "classes": {"type": "list", "elements": "str", "choices": [*CLASSES, PASSWORDS], "default": ["user", "group"]},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        params = module.params
        added = delegate(params["account"], params["units"], params["classes"], apply=not module.check_mode)
    except DelegationError as error:
        module.fail_json(msg=str(error))
    lines = "".join(f"{unit}: {entry}\n" for unit, entries in added.items() for entry in entries)
    module.exit_json(changed=bool(added), added=added, diff={"before": "", "after": lines})


if __name__ == "__main__":
    main()
