#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: device_pc_drive
short_description: Whoever logs on to a device PC finds the facility's drive
description:
  - Puts a small script onto PCs that maps a share to a letter, and lets Windows start it at each log-on, without a
    window. The person's own account opens the share; no password is kept.
  - All PCs in one task, over WinRM, from the controller. A PC that is off is reported and stops no other.
options:
  pcs:
    description: One entry a PC.
    type: list
    elements: dict
    required: true
    suboptions:
      host:
        description: The PC's name, as its certificate has it.
        type: str
        required: true
      port:
        description: Where WinRM listens; 5986 is HTTPS.
        type: int
        default: 5986
      scheme:
        description: V(http) only with V(ntlm) or V(kerberos), which encrypt messages themselves.
        type: str
        choices: [https, http]
        default: https
      transport:
        description: How to log on.
        type: str
        choices: [ntlm, kerberos, basic, certificate]
        default: ntlm
      username:
        description: An administrator of the PC.
        type: str
        default: ""
      password:
        description: That account's password. With Kerberos a ticket of the controller's does as well.
        type: str
        default: ""
      certificate:
        description: The client's certificate (PEM), with transport V(certificate).
        type: path
      private_key:
        description: Its key (PEM).
        type: path
      ca_file:
        description: PEM file with the authority that signed the PC's certificate; without it the controller's trust.
        type: path
      connect_seconds:
        description: How long a PC may take to answer the door before it counts as off.
        type: float
        default: 5
  letter:
    description: The drive's letter.
    type: str
    default: X
  share:
    description: The share, like C(\\omero1.imaging.example.org\dropbox).
    type: str
    required: true
  state:
    description: Whether the drive should be mapped.
    type: str
    choices: [present, absent]
    default: present
  threads:
    description: How many PCs are seen to at a time.
    type: int
    default: 32
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change.}
  diff_mode: {support: full, description: Shows what differs on each PC.}
requirements: [pywinrm >= 0.5.0]
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: Drive X is there at log-on
  device_pc_drive:
    pcs: "{{ devices_fleet }}"
    share: \\omero1.imaging.example.org\dropbox
  run_once: true
"""

RETURN = r"""
problems:
  description: PCs that can't be managed now, one line each with the cure.
  returned: success
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.device_pc.drive import DriveError, converge, script
from ansible.module_utils.facility.device_pc.options import CONNECTION

ARGUMENTS: dict[str, Any] = {
    "pcs": {"type": "list", "elements": "dict", "required": True, "options": CONNECTION},
    "letter": {"type": "str", "default": "X"},
    "share": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "threads": {"type": "int", "default": 32},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    try:
        content = script(params["letter"], params["share"]) if params["state"] == "present" else None
    except DriveError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**converge(params["pcs"], content, params["threads"], check_mode=module.check_mode))


if __name__ == "__main__":
    main()
