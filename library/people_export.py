#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: people_export
short_description: Fetch what the register's pages have recorded, if it moved
description:
  - Asks the register's host for its export over verified HTTPS, and puts it into the register's folder as
    C(export.jsonl).
    From then on it says who there is and what is recorded; C(people.yml) says only who the IT administrators are.
  - The export is checked as a whole with the policy of this checkout before it replaces the one from before. What makes
    no sense, or was changed on its way, is refused with line and reason, and nothing is changed.
  - Runs where the register's folder is, usually on the controller.
options:
  url:
    description: The export's address.
    type: str
    required: true
  token:
    description: What the register's host knows the controller by.
    type: str
    required: true
  ca_file:
    description: Authorities that the host's certificate is verified by; the controller's own if it is empty.
    type: str
    default: ""
  path:
    description: The register's folder, which holds C(people.yml).
    type: path
    required: true
  facility:
    description: >-
      The policy, with the keys of C(group_vars/all/facility.yml) without C(facility_), as for M(register_info).
    type: dict
    required: true
attributes:
  check_mode: {support: full, description: Says whether another export would be there; writes nothing.}
  diff_mode: {support: none, description: What it leads to is shown by the tasks that follow it.}
requirements: [requests]
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: The register's export is fetched
  people_export:
    url: https://register1.imaging.example.org/export
    token: "{{ vault_register_export_token }}"
    ca_file: "{{ inventory_dir }}/.secrets/authority/authority.pem"
    path: "{{ inventory_dir }}/register"
    facility:
      research_groups: "{{ facility_research_groups }}"
      instruments: "{{ facility_instruments }}"
      time_zone: "{{ facility_time_zone }}"
  delegate_to: localhost
"""

RETURN = r"""
facts:
  description: How many facts the export has.
  returned: success
  type: int
problems:
  description: All problems of an export that was refused, one line each.
  returned: failure
  type: list
  elements: str
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.people.pull import PullError, Source, pull
from ansible.module_utils.facility.people.register import RegisterError

ARGUMENTS: dict[str, Any] = {
    "url": {"type": "str", "required": True},
    "token": {"type": "str", "required": True, "no_log": True},
    "ca_file": {"type": "str", "default": ""},
    "path": {"type": "path", "required": True},
    "facility": {"type": "dict", "required": True},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    given = module.params
    source = Source(given["url"], given["token"], given["ca_file"])
    try:
        pulled = pull(source, Path(given["path"]), given["facility"], write=not module.check_mode)
    except RegisterError as error:
        module.fail_json(msg=str(error), problems=error.problems)
    except PullError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=pulled.changed, facts=pulled.facts)


if __name__ == "__main__":
    main()
