#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: omero_info
short_description: Ask OMERO about itself
description:
  - Logs in over verified TLS and returns the version, people, groups and how many images there are. Changes nothing.
  - Runs on the OMERO host with OMERO's own Python.
extends_documentation_fragment: [omero]
attributes:
  check_mode: {support: full, description: Changes nothing.}
"""

EXAMPLES = r"""
- name: OMERO answers
  omero_info:
    host: omero1.imaging.example.org
    password: "{{ vault_omero_root_password }}"
    ca_file: /etc/facility/tls/ca.crt
  vars:
    ansible_python_interpreter: /opt/omero/server/venv/bin/python
  register: omero
"""

RETURN = r"""
version:
  description: The server's version.
  returned: success
  type: str
ldap:
  description: Whether people are looked up in a directory.
  returned: success
  type: bool
users:
  description: People by login - fields, groups, default group, whether they may log in.
  returned: success
  type: dict
groups:
  description: Groups by name - permissions, description, whether they come from the directory.
  returned: success
  type: dict
images:
  description: How many images there are.
  returned: success
  type: int
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.omero.connection import (
    ALL_GROUPS,
    CONNECTION_OPTIONS,
    OmeroError,
    open_session,
    server_of,
)
from ansible.module_utils.facility.omero.people import groups_state, users_state

ARGUMENTS: dict[str, Any] = {**CONNECTION_OPTIONS}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        with open_session(server_of(module.params)) as session:
            admin = session.getAdminService()
            count = session.getQueryService().projection("select count(i.id) from Image i", None, ALL_GROUPS)
            result = {
                "version": session.getConfigService().getVersion(),
                "ldap": session.getLdapService().getSetting(),
                "users": users_state(admin),
                "groups": groups_state(admin),
                "images": count[0][0].val,
            }
    except OmeroError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
