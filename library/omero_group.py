#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: omero_group
short_description: Manage groups of OMERO
description:
  - Creates groups and changes their permissions and description over OMERO's API.
  - Runs on the OMERO host with OMERO's own Python. Members are people's (see M(omero_user)); groups are never deleted.
extends_documentation_fragment: [omero]
options:
  groups:
    description: The groups, compared in one go. What isn't given isn't managed.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The group's name.
        type: str
        required: true
      permissions:
        description: What members may do with each other's data. A new group is V(private) unless this says otherwise.
        type: str
        choices: [private, read-only, read-annotate, read-write]
      description:
        description: A line for people.
        type: str
      from_directory:
        description: A new group is one of the directory's, so that OMERO keeps its members as the directory has them.
        type: bool
        default: false
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change.}
  diff_mode: {support: full, description: Shows what differs.}
"""

EXAMPLES = r"""
- name: The research groups are in OMERO
  omero_group:
    host: omero1.imaging.example.org
    password: "{{ vault_omero_root_password }}"
    ca_file: /etc/facility/tls/ca.crt
    groups:
      - {name: rg-neuro, permissions: read-annotate, description: Neuronal Circuits}
  vars:
    ansible_python_interpreter: /opt/omero/server/venv/bin/python
"""

RETURN = r"""
created:
  description: Names of groups that were created, or would be in check mode.
  returned: success
  type: list
  elements: str
updated:
  description: Names of groups that were changed.
  returned: success
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.omero.connection import CONNECTION_OPTIONS, OmeroError, open_session, server_of
from ansible.module_utils.facility.omero.people import PERMISSIONS, apply_group, groups_plan, groups_state

ARGUMENTS: dict[str, Any] = {
    **CONNECTION_OPTIONS,
    "groups": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "permissions": {"type": "str", "choices": list(PERMISSIONS)},
            "description": {"type": "str"},
            "from_directory": {"type": "bool", "default": False},
        },
    },
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        with open_session(server_of(module.params)) as session:
            admin = session.getAdminService()
            plan = groups_plan(groups_state(admin), module.params["groups"])
            if not module.check_mode:
                for change in plan.changes:
                    apply_group(admin, change)
    except OmeroError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=plan.changed, diff=plan.diff(), created=plan.keys("create"), updated=plan.keys("update"))


if __name__ == "__main__":
    main()
