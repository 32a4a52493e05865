#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: omero_user
short_description: Manage people of OMERO and their groups
description:
  - Creates local people, and changes fields, groups, the default group, privileges and passwords, over OMERO's API.
  - People of the directory come in at their first log-in, or here beforehand with O(users[].from_directory).
  - Nobody is ever deleted - O(state=inactive) keeps all data and lets nobody log in.
  - Runs on the OMERO host with OMERO's own Python.
extends_documentation_fragment: [omero]
options:
  users:
    description: The people, compared in one go. What isn't given isn't managed.
    type: list
    elements: dict
    required: true
    suboptions:
      login:
        description: The log-in name, OMERO's C(omeName).
        type: str
        required: true
      first_name:
        description: First name.
        type: str
      last_name:
        description: Last name.
        type: str
      email:
        description: E-mail address.
        type: str
      institution:
        description: Institution.
        type: str
      from_directory:
        description: Make this person from the directory if OMERO doesn't know them yet.
        type: bool
        default: false
      groups:
        description: Groups by name, beside OMERO's own C(user). Not given - groups aren't managed.
        type: dict
        suboptions:
          add:
            description: Must be a member of these, others stay.
            type: list
            elements: str
          remove:
            description: Must not be a member of these, others stay.
            type: list
            elements: str
          set:
            description: Is a member of exactly these. Excludes C(add) and C(remove).
            type: list
            elements: str
      default_group:
        description: The group that new data belong to, also what OMERO.dropbox imports.
        type: str
      privileges:
        description: For members of C(system) - exactly these of an administrator's privileges; none - only reading.
        type: list
        elements: str
      password:
        description: For people who aren't in the directory.
        type: str
  state:
    description: Whether the people may log in. V(inactive) takes them out of OMERO's group C(user).
    type: str
    choices: [present, inactive]
    default: present
  update_password:
    description: V(on_create) leaves the password of people who are there alone; it can't be compared.
    type: str
    choices: [on_create, always]
    default: on_create
attributes:
  check_mode: {support: full, description: "Shows exactly what a run would change, but for V(update_password=always)."}
  diff_mode: {support: full, description: "Shows what differs, without passwords."}
"""

EXAMPLES = r"""
- name: An account that may read everything and change nothing
  omero_user:
    host: omero1.imaging.example.org
    password: "{{ vault_omero_root_password }}"
    ca_file: /etc/facility/tls/ca.crt
    users:
      - login: svc-imports
        groups: {set: [system]}
        privileges: []
        password: "{{ vault_omero_imports_password }}"
  vars:
    ansible_python_interpreter: /opt/omero/server/venv/bin/python

- name: Who left may no longer log in
  omero_user:
    host: omero1.imaging.example.org
    password: "{{ vault_omero_root_password }}"
    ca_file: /etc/facility/tls/ca.crt
    users: [{login: oolsen}]
    state: inactive
  vars:
    ansible_python_interpreter: /opt/omero/server/venv/bin/python
"""

RETURN = r"""
created:
  description: Logins of people who were created, or would be in check mode.
  returned: success
  type: list
  elements: str
updated:
  description: Logins of people who were changed.
  returned: success
  type: list
  elements: str
unknown:
  description: Logins that were to be made from the directory, which doesn't have them, or gives them no group.
  returned: success
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.omero.connection import CONNECTION_OPTIONS, OmeroError, open_session, server_of
from ansible.module_utils.facility.omero.people import converge_users

_NAMES: dict[str, Any] = {"type": "list", "elements": "str"}
ARGUMENTS: dict[str, Any] = {
    **CONNECTION_OPTIONS,
    "users": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "login": {"type": "str", "required": True},
            "first_name": {"type": "str"},
            "last_name": {"type": "str"},
            "email": {"type": "str"},
            "institution": {"type": "str"},
            "from_directory": {"type": "bool", "default": False},
            "groups": {"type": "dict", "options": {"add": _NAMES, "remove": _NAMES, "set": _NAMES}},
            "default_group": {"type": "str"},
            "privileges": _NAMES,
            "password": {"type": "str", "no_log": True},
        },
    },
    "state": {"type": "str", "choices": ["present", "inactive"], "default": "present"},
    "update_password": {
        "type": "str",
        "choices": ["on_create", "always"],
        "default": "on_create",
        "no_log": False,
    },
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        with open_session(server_of(module.params)) as session:
            made, unknown, plan = converge_users(session, module.params, check_mode=module.check_mode)
    except OmeroError as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=plan.changed or bool(made),
        diff=plan.diff(),
        created=[*made, *plan.keys("create")],
        updated=plan.keys("update"),
        unknown=unknown,
    )


if __name__ == "__main__":
    main()
