#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: omero_config
short_description: Manage the properties of OMERO.server or OMERO.web in config.xml
description:
  - Brings a C(config.xml) to exactly the given properties, in one step, with one start of Python.
  - Names are compared with the list that comes with the program; a name that it doesn't know is refused.
  - Runs on the OMERO host with OMERO's own Python. OMERO reads the file when it starts.
options:
  path:
    description: The file. It is made when it isn't there.
    type: path
    required: true
  names_from:
    description: Where the names are listed - an unpacked OMERO.server, or the settings.py of OMERO.web.
    type: path
    required: true
  properties:
    description: The properties by name. Numbers and booleans are written as OMERO reads them.
    type: dict
    required: true
  secrets:
    description: Those whose values nobody may see in logs or results - passwords. They are refused in O(properties).
    type: dict
    default: {}
  purge:
    description: Whether properties that are in neither O(properties) nor O(secrets) go.
    type: bool
    default: true
  owner:
    description: The user who reads the file, besides root nobody else.
    type: str
    required: true
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change.}
  diff_mode: {support: full, description: "Shows what differs, without passwords."}
requirements: [omero-py >= 5.19]
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: OMERO's properties are the facility's
  omero_config:
    path: /opt/omero/server/config/config.xml
    names_from: /opt/omero/server/OMERO.server
    properties:
      omero.data.dir: /OMERO
      omero.db.name: omero
      omero.fs.dirImportWait: 30
    secrets:
      omero.db.pass: "{{ vault_omero_database_password }}"
    owner: omero-server
  vars:
    ansible_python_interpreter: /opt/omero/server/venv/bin/python
  notify: Restart OMERO

- name: One property is added by hand
  omero_config:
    path: /opt/omero/server/config/config.xml
    names_from: /opt/omero/server/OMERO.server
    properties: {omero.db.poolsize: 50}
    purge: false
    owner: omero-server
  vars:
    ansible_python_interpreter: /opt/omero/server/venv/bin/python
"""

RETURN = r"""
created:
  description: Names of properties that were added.
  returned: success
  type: list
  elements: str
updated:
  description: Names of properties that got another value.
  returned: success
  type: list
  elements: str
deleted:
  description: Names of properties that were taken out.
  returned: success
  type: list
  elements: str
unknown:
  description: Names that the server doesn't know, with similar ones.
  returned: failure
  type: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.omero.config_file import OmeroConfigError, configure

ARGUMENTS: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "names_from": {"type": "path", "required": True},
    "properties": {"type": "dict", "required": True},
    # A part of its own: Ansible logs a module's parameters before the module itself runs.
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "purge": {"type": "bool", "default": True},
    "owner": {"type": "str", "required": True},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        plan, changed = configure(module.params, check_mode=module.check_mode)
    except OmeroConfigError as error:
        module.fail_json(msg=str(error), unknown=error.unknown)
    module.exit_json(
        changed=changed,
        diff=plan.diff(),
        created=plan.keys("create"),
        updated=plan.keys("update"),
        deleted=plan.keys("delete"),
    )


if __name__ == "__main__":
    main()
