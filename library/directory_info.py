#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: directory_info
short_description: Ask a directory what it is, what it can do and what it holds
description:
  - Reads only. Works with Active Directory and other LDAP servers, over verified LDAPS or StartTLS.
  - Fails with one line if the server can't be reached, shows a wrong certificate or refuses the bind.
extends_documentation_fragment: [directory]
options:
  base:
    description: DN below which to look; the server's default naming context, or its only one, if absent.
    type: str
  user_filter:
    description: Which entries count as users.
    type: str
    default: "(&(|(objectClass=user)(objectClass=inetOrgPerson))(!(objectClass=computer)))"
  require_groups:
    description: Groups that should be there, by C(cn) or DN. Those that aren't are returned, the module doesn't fail.
    type: list
    elements: str
    default: []
  require_ous:
    description: Organizational units that should be there, by C(ou) or DN.
    type: list
    elements: str
    default: []
attributes:
  check_mode: {support: full, description: Never changes anything.}
  diff_mode: {support: none, description: There is nothing to show.}
requirements: [python-ldap >= 3.4]
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: Ask the university's directory
  directory_info:
    server_uri: ldaps://dc1.imaging.example.org
    bind_dn: CN=Administrator,CN=Users,DC=imaging,DC=example,DC=org
    bind_password: "{{ vault_directory_admin_password }}"
    ca_file: /etc/facility/ca.pem
    require_groups: [facility-users, facility-staff]
  register: directory

- name: The directory has what the facility needs
  ansible.builtin.assert:
    that: directory.missing_groups == [] and directory.nested_groups
    fail_msg: "The directory lacks {{ directory.missing_groups | join(', ') }}: ask its administrators"
"""

RETURN = r"""
active_directory:
  description: Whether it is Active Directory (Samba or Windows).
  returned: success
  type: bool
base:
  description: DN below which was looked.
  returned: success
  type: str
bound_as:
  description: The identity that the server gave this connection.
  returned: success
  type: str
dns_host_name:
  description: The server's own name, if it gives one.
  returned: success
  type: str
group_sids:
  description: SIDs of those of O(require_groups) that are there, by the name given; none from a server without SIDs.
  returned: success
  type: dict
missing_groups:
  description: Those of O(require_groups) that aren't there.
  returned: success
  type: list
  elements: str
missing_ous:
  description: Those of O(require_ous) that aren't there.
  returned: success
  type: list
  elements: str
naming_contexts:
  description: DNs of what the server holds.
  returned: success
  type: list
  elements: str
nested_groups:
  description: >-
    Whether the matching rule 1.2.840.113556.1.4.1941 finds members of members; null if no group has a member to try.
  returned: success
  type: bool
user_count:
  description: How many entries match O(user_filter).
  returned: success
  type: int
vendor:
  description: The server's product and version, if it gives them.
  returned: success
  type: str
kind:
  description: What sort of failure, one of unreachable, certificate, refused, not_found, rejected.
  returned: failure
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.directory.facts import facts
from ansible.module_utils.facility.directory.task import CONNECTION_OPTIONS, report

ARGUMENTS: dict[str, Any] = {
    **CONNECTION_OPTIONS,
    "base": {"type": "str"},
    "user_filter": {
        "type": "str",
        "default": "(&(|(objectClass=user)(objectClass=inetOrgPerson))(!(objectClass=computer)))",
    },
    "require_groups": {"type": "list", "elements": "str", "default": []},
    "require_ous": {"type": "list", "elements": "str", "default": []},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result = report(module.params, lambda directory: facts(directory, module.params))
    if result.failure is not None:
        module.fail_json(msg=result.failure, **result.values)
    module.exit_json(**result.values)


if __name__ == "__main__":
    main()
