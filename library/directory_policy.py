#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: directory_policy
short_description: Manage the password and lockout policy of an Active Directory domain
description:
  - Writes the policy attributes of the domain's head object, over verified LDAPS or StartTLS.
extends_documentation_fragment: [directory]
options:
  base:
    description: DN of the domain.
    type: str
    required: true
  min_password_length:
    description: Fewest characters of a password. Not given - not managed.
    type: int
  password_history:
    description: How many former passwords can't be used again. Not given - not managed.
    type: int
  max_password_age_days:
    description: Days after which a password expires, V(0) for never. Not given - not managed.
    type: int
  min_password_age_days:
    description: Days before a password can be changed again. Not given - not managed.
    type: int
  complexity:
    description: Whether passwords need three kinds of characters. Not given - not managed.
    type: bool
  lockout_threshold:
    description: Wrong passwords until an account is locked, V(0) for never. Not given - not managed.
    type: int
  lockout_minutes:
    description: Minutes for which it stays locked, at least the window. Not given - not managed.
    type: int
  lockout_window_minutes:
    description: Minutes after which wrong passwords are forgotten. Not given - not managed.
    type: int
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change.}
  diff_mode: {support: full, description: "Shows what differs, without passwords."}
requirements: [python-ldap >= 3.4]
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: Passwords are long, guessing is slow
  directory_policy:
    server_uri: ldaps://dc1.imaging.example.org
    bind_dn: CN=Administrator,CN=Users,DC=imaging,DC=example,DC=org
    bind_password: "{{ vault_directory_admin_password }}"
    ca_file: /etc/facility/ca.pem
    base: DC=imaging,DC=example,DC=org
    min_password_length: 12
    complexity: true
    max_password_age_days: 0
    lockout_threshold: 10
    lockout_minutes: 15
    lockout_window_minutes: 15
"""

RETURN = r"""
created:
  description: The domain's DN if it is among those that were created, or would be in check mode.
  returned: always
  type: list
  elements: str
updated:
  description: The domain's DN if it is among those whose attributes were changed.
  returned: always
  type: list
  elements: str
deleted:
  description: The domain's DN if it is among those that were deleted.
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
from ansible.module_utils.facility.directory.policy import PolicyTask
from ansible.module_utils.facility.directory.task import CONNECTION_OPTIONS, converge

ARGUMENTS: dict[str, Any] = {
    **CONNECTION_OPTIONS,
    "base": {"type": "str", "required": True},
    "min_password_length": {"type": "int", "no_log": False},
    "password_history": {"type": "int", "no_log": False},
    "max_password_age_days": {"type": "int", "no_log": False},
    "min_password_age_days": {"type": "int", "no_log": False},
    "complexity": {"type": "bool"},
    "lockout_threshold": {"type": "int"},
    "lockout_minutes": {"type": "int"},
    "lockout_window_minutes": {"type": "int"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result = converge(module.params, PolicyTask(module.params), check_mode=module.check_mode)
    if result.failure is not None:
        module.fail_json(msg=result.failure, **result.values)
    module.exit_json(**result.values)


if __name__ == "__main__":
    main()
