#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: directory_ou
short_description: Make sure that organizational units exist in a directory
description:
  - Works with Active Directory and other LDAP servers, over verified LDAPS or StartTLS.
extends_documentation_fragment: [directory]
options:
  ous:
    description: The units. None is ever deleted.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: C(ou).
        type: str
        required: true
      description:
        description: C(description). Not given - not managed; an empty string removes it.
        type: str
  base:
    description: DN of the object directly below which the units are.
    type: str
    required: true
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change.}
  diff_mode: {support: full, description: "Shows what differs, without passwords."}
requirements: [python-ldap >= 3.4]
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: People, groups, services and instruments have their units
  directory_ou:
    server_uri: ldaps://dc1.imaging.example.org
    bind_dn: CN=Administrator,CN=Users,DC=imaging,DC=example,DC=org
    bind_password: "{{ vault_directory_admin_password }}"
    ca_file: /etc/facility/ca.pem
    base: DC=imaging,DC=example,DC=org
    ous: "{{ people_register | directory_ous }}"
"""

RETURN = r"""
created:
  description: Names of units that were created, or would be in check mode.
  returned: always
  type: list
  elements: str
updated:
  description: Names of units whose attributes were changed.
  returned: always
  type: list
  elements: str
deleted:
  description: Names of units that were deleted.
  returned: always
  type: list
  elements: str
unchanged:
  description: How many were as they should be.
  returned: always
  type: int
failures:
  description: Which changes failed and why, as C(name) and C(why). All others were made.
  returned: when the server rejected a change
  type: list
  elements: dict
kind:
  description: What sort of failure, one of unreachable, certificate, refused, not_found, rejected.
  returned: failure
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.directory.task import CONNECTION_OPTIONS, converge
from ansible.module_utils.facility.directory.units import UnitsTask

ARGUMENTS: dict[str, Any] = {
    **CONNECTION_OPTIONS,
    "ous": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {"name": {"type": "str", "required": True}, "description": {"type": "str"}},
    },
    "base": {"type": "str", "required": True},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result = converge(module.params, UnitsTask(module.params), check_mode=module.check_mode)
    if result.failure is not None:
        module.fail_json(msg=result.failure, **result.values)
    module.exit_json(**result.values)


if __name__ == "__main__":
    main()
