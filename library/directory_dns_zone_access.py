#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: directory_dns_zone_access
short_description: Let only administrators and domain controllers add names to a domain's DNS zones in Active Directory
description:
  - >-
    Takes away what lets every account add names to the domain's zone and to that of its controllers (C(_msdcs)). As
    they are made, any user may add C(wpad), a wildcard, or the name of a host that is not there yet, and answer for it.
  - Names that are there, and rights that were given to somebody by name, stay. Computers no longer enter themselves.
  - Runs on a Samba domain controller as root, with the Python of Debian's C(python3-samba).
options:
  zone:
    description: The domain's zone, as V(imaging.example.org).
    type: str
    required: true
  base:
    description: DN of the domain.
    type: str
    required: true
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change.}
  diff_mode: {support: full, description: "Shows the entries that are taken away, in SDDL."}
requirements: [python3-samba]
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: No user answers for names in the facility's zone
  directory_dns_zone_access:
    zone: imaging.example.org
    base: DC=imaging,DC=example,DC=org
"""

RETURN = r"""
removed:
  description: For each zone that had some, the entries that were taken away, or would be in check mode, in SDDL.
  returned: success
  type: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.directory.delegation import DelegationError, close_zones

ARGUMENTS: dict[str, Any] = {"zone": {"type": "str", "required": True}, "base": {"type": "str", "required": True}}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        removed = close_zones(module.params["zone"], module.params["base"], apply=not module.check_mode)
    except DelegationError as error:
        module.fail_json(msg=str(error))
    before = "".join(f"{zone}: {entry}\n" for zone, entries in removed.items() for entry in entries)
    module.exit_json(changed=bool(removed), removed=removed, diff={"before": before, "after": ""})


if __name__ == "__main__":
    main()
