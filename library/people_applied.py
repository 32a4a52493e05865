#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: people_applied
short_description: Tell the register's pages how far the systems follow them
description:
  - Staff see with each person whether directory and booking system have what was recorded, and if not, why.
  - It tells of the export that M(people_export) fetched last, over the same way.
options:
  path:
    description: The register's folder, into which M(people_export) has fetched the export.
    type: path
    required: true
  systems:
    description: The systems that were brought to what the export says.
    type: list
    elements: str
    required: true
  faults:
    description: What could not be done, each with C(system), one of O(systems), and C(message).
    type: list
    elements: dict
    default: []
attributes:
  check_mode: {support: full, description: Tells nothing.}
  diff_mode: {support: none, description: There is nothing to show.}
requirements: [requests]
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: The pages know how far the systems follow them
  people_applied:
    path: "{{ inventory_dir }}/register"
    systems: [directory, PPMS]
    faults: [{system: PPMS, message: "https://ppms.example.org/: doesn't answer"}]
"""

RETURN = r"""
told:
  description: By system what was told of it; empty if it follows.
  returned: success
  type: dict
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.people.pull import PullError, tell

ARGUMENTS: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "systems": {"type": "list", "elements": "str", "required": True},
    "faults": {"type": "list", "elements": "dict", "default": []},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    systems = dict.fromkeys(module.params["systems"], "")
    for fault in module.params["faults"]:
        if fault.get("system") in systems:
            systems[fault["system"]] = str(fault.get("message", "")) or "failed"
    try:
        if not module.check_mode:
            tell(Path(module.params["path"]), systems)
    except PullError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, told=systems)


if __name__ == "__main__":
    main()
