#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: directory_password_settings
short_description: Give some accounts of Active Directory a policy about passwords and lockout of their own
description:
  - Keeps one password settings object, which counts for the accounts it names in place of the domain's policy.
  - >-
    Use it for accounts of services. Anybody who can reach the directory may guess ten times and so lock an account; for
    one whose password is long and random that protects nothing, and it stops the service.
  - Over verified LDAPS or StartTLS. Where several such objects name an account, the lowest precedence counts.
extends_documentation_fragment: [directory]
options:
  base:
    description: DN of the domain.
    type: str
    required: true
  name:
    description: Name of the object.
    type: str
    required: true
  logins:
    description: C(sAMAccountName) of all accounts it counts for; others are taken out.
    type: list
    elements: str
    required: true
  precedence:
    description: The lower, the stronger; no two objects should have the same.
    type: int
    default: 10
  min_password_length:
    description: Fewest characters of a password.
    type: int
    default: 12
  password_history:
    description: How many former passwords can't be used again.
    type: int
    default: 0
  max_password_age_days:
    description: Days after which a password expires, V(0) for never.
    type: int
    default: 0
  min_password_age_days:
    description: Days before a password can be changed again.
    type: int
    default: 0
  complexity:
    description: Whether passwords need three kinds of characters.
    type: bool
    default: true
  lockout_threshold:
    description: Wrong passwords until an account is locked, V(0) for never.
    type: int
    default: 0
  lockout_minutes:
    description: Minutes for which it stays locked, at least the window.
    type: int
    default: 15
  lockout_window_minutes:
    description: Minutes after which wrong passwords are forgotten.
    type: int
    default: 15
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change.}
  diff_mode: {support: full, description: "Shows what differs."}
requirements: [python-ldap >= 3.4]
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: Nobody locks the accounts of services by guessing
  directory_password_settings:
    server_uri: ldaps://dc1.imaging.example.org
    bind_dn: CN=Administrator,CN=Users,DC=imaging,DC=example,DC=org
    bind_password: "{{ vault_directory_admin_password }}"
    ca_file: /etc/facility/ca.pem
    base: DC=imaging,DC=example,DC=org
    name: service-accounts
    logins: [svc-wiki, svc-omero]
"""

RETURN = r"""
created:
  description: The object's name if it was created, or would be in check mode.
  returned: always
  type: list
  elements: str
updated:
  description: Its name if something of it was changed.
  returned: always
  type: list
  elements: str
deleted:
  description: Always empty.
  returned: always
  type: list
  elements: str
unchanged:
  description: V(1) if it was as it should be.
  returned: always
  type: int
failures:
  description: Which changes failed and why, as C(name) and C(why).
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
from ansible.module_utils.facility.directory.password_settings import PasswordSettingsTask
from ansible.module_utils.facility.directory.task import CONNECTION_OPTIONS, converge

ARGUMENTS: dict[str, Any] = {
    **CONNECTION_OPTIONS,
    "base": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "logins": {"type": "list", "elements": "str", "required": True},
    "precedence": {"type": "int", "default": 10},
    "min_password_length": {"type": "int", "default": 12, "no_log": False},
    "password_history": {"type": "int", "default": 0, "no_log": False},
    "max_password_age_days": {"type": "int", "default": 0, "no_log": False},
    "min_password_age_days": {"type": "int", "default": 0, "no_log": False},
    "complexity": {"type": "bool", "default": True},
    "lockout_threshold": {"type": "int", "default": 0},
    "lockout_minutes": {"type": "int", "default": 15},
    "lockout_window_minutes": {"type": "int", "default": 15},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result = converge(module.params, PasswordSettingsTask(module.params), check_mode=module.check_mode)
    if result.failure is not None:
        module.fail_json(msg=result.failure, **result.values)
    module.exit_json(**result.values)


if __name__ == "__main__":
    main()
