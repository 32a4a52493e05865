#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: directory_group
short_description: Manage security groups and their members in Active Directory
description:
  - Creates, changes and deletes global security groups in Samba AD or Windows AD over verified LDAPS or StartTLS.
  - Runs where python-ldap is, usually on the controller (delegated to localhost).
extends_documentation_fragment: [directory]
options:
  groups:
    description: The groups. All are compared with one search; they may be members of each other.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: C(sAMAccountName) and, for a new group, C(cn).
        type: str
        required: true
      description:
        description: C(description). What isn't given isn't managed, an empty string removes it.
        type: str
      members:
        description: Accounts and groups by C(sAMAccountName), or anything by DN. Not given - members aren't managed.
        type: dict
        suboptions:
          add:
            description: Must be members, others stay.
            type: list
            elements: str
          remove:
            description: Must not be members, others stay.
            type: list
            elements: str
          set:
            description: Exactly these are members; an empty list empties the group. Excludes C(add) and C(remove).
            type: list
            elements: str
  ou:
    description: DN under which new groups are created. A group found elsewhere below O(base) isn't moved.
    type: str
    required: true
  base:
    description: DN below which groups and members are searched; the domain of O(ou) if absent.
    type: str
  state:
    description: Whether the groups should be there.
    type: str
    choices: [present, absent]
    default: present
  unknown_members:
    description:
      - What to do about a member that doesn't exist. V(fail) does so before anything is changed.
      - V(ignore) leaves it out, for check mode before the accounts were ever created.
    type: str
    choices: [fail, ignore]
    default: fail
  most_removed:
    description:
      - Of how many accounts one run may take something. If more would lose a membership,
        nothing is changed, and the failure names them. Not given - any number.
    type: int
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change.}
  diff_mode: {support: full, description: "Shows what differs, without passwords."}
requirements: [python-ldap >= 3.4]
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: Groups and members are as the register says
  directory_group:
    server_uri: ldaps://dc1.imaging.example.org
    bind_dn: CN=Administrator,CN=Users,DC=imaging,DC=example,DC=org
    bind_password: "{{ vault_directory_admin_password }}"
    ca_file: /etc/facility/ca.pem
    ou: OU=groups,DC=imaging,DC=example,DC=org
    groups: "{{ people_register | directory_groups }}"
    unknown_members: "{{ 'ignore' if ansible_check_mode else 'fail' }}"

- name: A guest may use the confocal microscope for a while
  directory_group:
    server_uri: ldaps://dc1.imaging.example.org
    bind_dn: CN=Administrator,CN=Users,DC=imaging,DC=example,DC=org
    bind_password: "{{ vault_directory_admin_password }}"
    ca_file: /etc/facility/ca.pem
    ou: OU=groups,DC=imaging,DC=example,DC=org
    groups:
      - name: instrument-confocal-1
        members: {add: [aadler]}
"""

RETURN = r"""
created:
  description: Names of groups that were created, or would be in check mode.
  returned: always
  type: list
  elements: str
updated:
  description: Names of groups whose attributes were changed.
  returned: always
  type: list
  elements: str
deleted:
  description: Names of groups that were deleted.
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
  description: What sort of failure, one of unreachable, certificate, refused, not_found, rejected, too_many.
  returned: failure
  type: str
ignored_members:
  description: Members that don't exist, with the groups that want them.
  returned: success
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.directory.groups import GroupsTask
from ansible.module_utils.facility.directory.task import CONNECTION_OPTIONS, converge

ARGUMENTS: dict[str, Any] = {
    **CONNECTION_OPTIONS,
    "groups": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "description": {"type": "str"},
            "members": {
                "type": "dict",
                "options": {
                    "add": {"type": "list", "elements": "str"},
                    "remove": {"type": "list", "elements": "str"},
                    "set": {"type": "list", "elements": "str"},
                },
            },
        },
    },
    "ou": {"type": "str", "required": True},
    "base": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "unknown_members": {"type": "str", "choices": ["fail", "ignore"], "default": "fail"},
    "most_removed": {"type": "int"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    task = GroupsTask(module.params)
    result = converge(module.params, task, check_mode=module.check_mode)
    if result.failure is not None:
        module.fail_json(msg=result.failure, **result.values)
    module.exit_json(ignored_members=task.ignored_members, **result.values)


if __name__ == "__main__":
    main()
