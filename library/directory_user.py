#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: directory_user
short_description: Manage the accounts of people and services in Active Directory
description:
  - Creates, changes and deletes accounts in Samba AD or Windows AD over verified LDAPS or StartTLS.
  - Runs where python-ldap is, usually on the controller (delegated to localhost).
  - An account that the server rejects doesn't keep the others from being done; the module then fails and lists both.
extends_documentation_fragment: [directory]
options:
  users:
    description: The accounts. All are compared with one search; a list of thousands is one task, not thousands.
    type: list
    elements: dict
    required: true
    suboptions:
      login:
        description: C(sAMAccountName), at most 20 characters, unique whatever the case; also a new account's C(cn).
        type: str
        required: true
      given_name:
        description: C(givenName). What isn't given isn't managed; an empty string removes the attribute.
        type: str
      family_name:
        description: C(sn).
        type: str
      display_name:
        description: C(displayName).
        type: str
      mail:
        description: C(mail).
        type: str
      description:
        description: C(description).
        type: str
      account_expires:
        description: C(accountExpires) as an ISO 8601 date-time with an offset, or V(never).
        type: str
      enabled:
        description: Whether the account may be used.
        type: bool
        default: true
      password:
        description: The password. At most a few accounts should have theirs here; people get initial passwords.
        type: str
      update_password:
        description:
          - V(on_create) sets the password of new accounts only.
          - V(always) also mends that of an existing account, found out by one bind as this account.
        type: str
        choices: [on_create, always]
        default: on_create
      initial_password:
        description:
          - With V(file) a new account without O(users[].password) gets one that is kept in O(initial_password_dir).
          - With V(unknown) it gets one that nobody knows; the person sets their own, as through the register.
        type: str
        choices: [file, unknown]
        default: file
      ou:
        description: DN of the unit where this account belongs, in place of O(ou).
        type: str
  ou:
    description: DN under which new accounts are created.
    type: str
    required: true
  move_between:
    description:
      - DNs of units. An account that lies in one of them, and belongs into another, is moved there, before anything
        else of it is changed. One that lies elsewhere below O(base) stays where it is.
    type: list
    elements: str
    default: []
  base:
    description: DN below which accounts are searched; the domain of O(ou) if absent.
    type: str
  state:
    description: Whether the accounts should be there.
    type: str
    choices: [present, absent]
    default: present
  initial_password_dir:
    description:
      - Folder for the generated passwords of new accounts that have none in O(users), one file a login.
      - Each file is written before its account is created, so that a run that was cut off can be repeated.
      - The folder gets mode 0700, the files 0600.
      - The file of an account whose password was changed since is removed.
    type: path
  most_removed:
    description:
      - Of how many accounts one run may take something. If more would lose their account, by being disabled or deleted,
        nothing is changed, and the failure names them. Not given - any number.
    type: int
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change.}
  diff_mode: {support: full, description: "Shows what differs, without passwords."}
requirements: [python-ldap >= 3.4]
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: Every person of the register has an account
  directory_user:
    server_uri: ldaps://dc1.imaging.example.org
    bind_dn: CN=Administrator,CN=Users,DC=imaging,DC=example,DC=org
    bind_password: "{{ vault_directory_admin_password }}"
    ca_file: /etc/facility/ca.pem
    ou: OU=People,DC=imaging,DC=example,DC=org
    move_between: ["OU=People,DC=imaging,DC=example,DC=org", "OU=Researchers,OU=People,DC=imaging,DC=example,DC=org"]
    initial_password_dir: "{{ inventory_dir }}/secrets/initial_passwords"
    users: "{{ people_register | directory_users }}"

- name: The wiki has an account to search with
  directory_user:
    server_uri: ldaps://dc1.imaging.example.org
    bind_dn: CN=Administrator,CN=Users,DC=imaging,DC=example,DC=org
    bind_password: "{{ vault_directory_admin_password }}"
    ca_file: /etc/facility/ca.pem
    ou: OU=services,DC=imaging,DC=example,DC=org
    users:
      - login: svc-wiki
        description: Searches people for the wiki
        account_expires: never
        password: "{{ vault_wiki_bind_password }}"
        update_password: always
"""

RETURN = r"""
created:
  description: Logins of accounts that were created, or would be in check mode.
  returned: always
  type: list
  elements: str
updated:
  description: Logins of accounts whose attributes were changed.
  returned: always
  type: list
  elements: str
deleted:
  description: Logins of accounts that were deleted.
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
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.directory.accounts import AccountsTask
from ansible.module_utils.facility.directory.task import CONNECTION_OPTIONS, converge

ARGUMENTS: dict[str, Any] = {
    **CONNECTION_OPTIONS,
    "users": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "login": {"type": "str", "required": True},
            "given_name": {"type": "str"},
            "family_name": {"type": "str"},
            "display_name": {"type": "str"},
            "mail": {"type": "str"},
            "description": {"type": "str"},
            "account_expires": {"type": "str"},
            "enabled": {"type": "bool", "default": True},
            "password": {"type": "str", "no_log": True},
            "update_password": {
                "type": "str",
                "choices": ["on_create", "always"],
                "default": "on_create",
                "no_log": False,
            },
            "initial_password": {
                "type": "str",
                "choices": ["file", "unknown"],
                "default": "file",
                "no_log": False,
            },
            "ou": {"type": "str"},
        },
    },
    "ou": {"type": "str", "required": True},
    "move_between": {"type": "list", "elements": "str", "default": []},
    "base": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "initial_password_dir": {"type": "path", "no_log": False},
    "most_removed": {"type": "int"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result = converge(module.params, AccountsTask(module.params), check_mode=module.check_mode)
    if result.failure is not None:
        module.fail_json(msg=result.failure, **result.values)
    module.exit_json(**result.values)


if __name__ == "__main__":
    main()
