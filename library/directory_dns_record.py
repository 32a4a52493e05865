#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: directory_dns_record
short_description: Manage records of a DNS zone that lives in Active Directory
description:
  - Writes the dnsNode objects of a zone in DomainDnsZones over verified LDAPS or StartTLS.
extends_documentation_fragment: [directory]
options:
  base:
    description: DN of the domain.
    type: str
    required: true
  zone:
    description: The zone's name. It must exist.
    type: str
    required: true
  records:
    description: >-
      The records. For each name and type, those listed are all there are; other types and names stay as they are.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name inside the zone, with or without the zone's name at its end; V(@) is the zone itself.
        type: str
        required: true
      type:
        description: The record's type.
        type: str
        choices: [A, CNAME, PTR]
        default: A
      value:
        description: An IPv4 address for V(A), a full host name for V(CNAME) and V(PTR).
        type: str
        required: true
      ttl:
        description: Seconds for which others may remember the record.
        type: int
        default: 3600
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change.}
  diff_mode: {support: full, description: "Shows what differs, without passwords."}
requirements: [python-ldap >= 3.4]
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: The facility's hosts have names
  directory_dns_record:
    server_uri: ldaps://dc1.imaging.example.org
    bind_dn: CN=Administrator,CN=Users,DC=imaging,DC=example,DC=org
    bind_password: "{{ vault_directory_admin_password }}"
    ca_file: /etc/facility/ca.pem
    base: DC=imaging,DC=example,DC=org
    zone: imaging.example.org
    records:
      - {name: wiki1, value: 10.42.0.21}
      - {name: wiki, type: CNAME, value: wiki1.imaging.example.org}
"""

RETURN = r"""
created:
  description: Names inside the zone that were created, or would be in check mode.
  returned: always
  type: list
  elements: str
updated:
  description: Names inside the zone whose attributes were changed.
  returned: always
  type: list
  elements: str
deleted:
  description: Names inside the zone that were deleted.
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
from ansible.module_utils.facility.directory.dns import DnsRecordsTask
from ansible.module_utils.facility.directory.task import CONNECTION_OPTIONS, converge

ARGUMENTS: dict[str, Any] = {
    **CONNECTION_OPTIONS,
    "base": {"type": "str", "required": True},
    "zone": {"type": "str", "required": True},
    "records": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "type": {"type": "str", "choices": ["A", "CNAME", "PTR"], "default": "A"},
            "value": {"type": "str", "required": True},
            "ttl": {"type": "int", "default": 3600},
        },
    },
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result = converge(module.params, DnsRecordsTask(module.params), check_mode=module.check_mode)
    if result.failure is not None:
        module.fail_json(msg=result.failure, **result.values)
    module.exit_json(**result.values)


if __name__ == "__main__":
    main()
