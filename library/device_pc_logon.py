#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: device_pc_logon
short_description: Only an instrument's people and staff may log on at its PC
description:
  - Sees over WinRM to the members of each PC's local group Users, whom Windows lets log on. With V(present) these are
    the group of the PC's instrument and the groups of O(staff), in place of Domain Users, Authenticated Users and
    INTERACTIVE, which let everybody of the domain in. The group Administrators is never changed.
  - Services (SERVICE, LOCAL SERVICE, NETWORK SERVICE) and the domain's members of Administrators become members of
    Users, too, for they need what Users may read, and had it through those three. None of them may log on who couldn't
    before.
  - Groups are found and compared by SID, whatever they are called in Windows' language. Whoever is to stay is let in
    and seen there first; only then the others go. A PC in a workgroup, one whose domain doesn't answer, and a group
    that nobody knows are reported with their cure, and nothing is taken from such a PC.
  - All PCs in one task, from the controller; needs nothing on a PC but Windows 7 or newer. Whoever is logged on stays
    so.
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
      group:
        description: The directory's group of those who may use the PC's instrument; required with V(present).
        type: str
        default: ""
      state:
        description: V(present) lets only them log on; V(absent) is the way back, and everybody of the domain may again.
        type: str
        choices: [present, absent]
        default: present
  staff:
    description: The directory's groups that may log on at every PC; at least one.
    type: list
    elements: str
    required: true
  sids:
    description:
      - SIDs of these groups by name, as RV(directory_info#module:group_sids) has them. Nobody may log on for a group
        that is named here and belongs to neither kind, like that of a PC's former instrument.
    type: dict
    required: true
  keep:
    description:
      - Accounts that somebody put into Users by hand and that are meant, like the one that an instrument's software
        logs on as. Others are reported, and stay. By SID, as C(MIC1\zeiss), or by the name alone.
    type: list
    elements: str
    default: []
  remove:
    description: Accounts that somebody put into Users by hand and that go, written as in O(keep).
    type: list
    elements: str
    default: []
  programs:
    description: Folder on the controller with C(logon-groups.js).
    type: path
    required: true
  threads:
    description: How many PCs are seen to at a time.
    type: int
    default: 32
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change.}
  diff_mode: {support: full, description: "Shows the members of Users of each PC that differs, before and after."}
requirements: [pywinrm >= 0.5.0]
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: SIDs of the log-on groups are known
  directory_info:
    server_uri: ldaps://dc1.imaging.example.org
    bind_dn: CN=svc-controller,OU=Service Accounts,DC=imaging,DC=example,DC=org
    bind_password: "{{ vault_svc_controller_password }}"
    require_groups: [instrument-confocal-1, facility-staff]
  register: directory

- name: Only people of the confocal and staff may log on at its PC
  device_pc_logon:
    pcs:
      - host: mic1.imaging.example.org
        username: facility-admin
        password: "{{ vault_device_pc_password }}"
        ca_file: /etc/facility/tls/ca.crt
        group: instrument-confocal-1
    staff: [facility-staff]
    sids: "{{ directory.group_sids }}"
    keep: [MIC1\zeiss]
    programs: roles/device_pc/files
"""

RETURN = r"""
problems:
  description: >-
    PCs that can't be managed or are not as wanted, and accounts that somebody else let in, one line each with the cure.
  returned: success
  type: list
  elements: str
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.device_pc.logon.fleet import converge
from ansible.module_utils.facility.device_pc.logon.options import LogonOptionsError, script, wishes
from ansible.module_utils.facility.device_pc.options import CONNECTION

ARGUMENTS: dict[str, Any] = {
    "pcs": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            **CONNECTION,
            "group": {"type": "str", "default": ""},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
    },
    "staff": {"type": "list", "elements": "str", "required": True},
    "sids": {"type": "dict", "required": True},
    "keep": {"type": "list", "elements": "str", "default": []},
    "remove": {"type": "list", "elements": "str", "default": []},
    "programs": {"type": "path", "required": True},
    "threads": {"type": "int", "default": 32},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    try:
        program, wanted = script(Path(params["programs"])), wishes(params)
    except LogonOptionsError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**converge(params["pcs"], program, wanted, params["threads"], check_mode=module.check_mode))


if __name__ == "__main__":
    main()
