#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: omero_hand_over
short_description: Give all that somebody has in OMERO to somebody else
description:
  - Images, and what belongs to them, get another owner. They stay in their groups, and their files where they are.
  - Who gets them must be a member of each group in which there are any; else nothing is changed.
  - Runs on the OMERO host with OMERO's own Python.
extends_documentation_fragment: [omero]
options:
  login:
    description: Whose it is.
    type: str
    required: true
  to:
    description: The login of who gets it.
    type: str
    required: true
  seconds:
    description: How long OMERO may take; some thousand images take minutes.
    type: int
    default: 3600
attributes:
  check_mode: {support: full, description: "Shows how many images would be handed over, and whether they could be."}
  diff_mode: {support: full, description: "Shows the images by group and owner."}
"""

EXAMPLES = r"""
- name: Images of somebody who left belong to the head of the group
  omero_hand_over:
    host: omero1.imaging.example.org
    password: "{{ vault_omero_root_password }}"
    ca_file: /etc/facility/tls/ca.crt
    login: aadler
    to: bberger
  vars:
    ansible_python_interpreter: /opt/omero/server/venv/bin/python
"""

RETURN = r"""
images:
  description: How many images were handed over, or in check mode would be, by group.
  returned: success
  type: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.omero.connection import CONNECTION_OPTIONS, OmeroError, open_session, server_of
from ansible.module_utils.facility.omero.hand_over import hand_over

ARGUMENTS: dict[str, Any] = {
    **CONNECTION_OPTIONS,
    "login": {"type": "str", "required": True},
    "to": {"type": "str", "required": True},
    "seconds": {"type": "int", "default": 3600},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    giver, taker = module.params["login"], module.params["to"]
    try:
        with open_session(server_of(module.params)) as session:
            images = hand_over(
                session, giver, taker, check_mode=module.check_mode, seconds=float(module.params["seconds"])
            )
    except OmeroError as error:
        module.fail_json(msg=str(error))
    before, after = (
        "".join(f"{number} images in {group}: {owner}\n" for group, number in sorted(images.items()))
        for owner in (giver, taker)
    )
    module.exit_json(changed=bool(images), images=images, diff={"before": before, "after": after})


if __name__ == "__main__":
    main()
