#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: omero_import_info
short_description: Show what people dropped, what OMERO has imported, and what is stuck
description:
  - Asks settle for the sets in people's folders, and OMERO for the images that came in through its DropBox.
  - Changes nothing. Runs on the OMERO host with OMERO's own Python, as root.
extends_documentation_fragment: [omero]
options:
  login:
    description: Only this person's; everybody's when it is empty.
    type: str
    default: ""
  dropbox:
    description: OMERO's DropBox folder.
    type: path
    default: /OMERO/DropBox
  settle_program:
    description: The folder that holds the package settle.
    type: path
    default: /usr/local/lib/settle
  settle_config:
    description: The settings of settle.
    type: path
    default: /etc/settle/settle.toml
  days:
    description: Images that were imported within so many days; all when it is 0.
    type: int
    default: 0
attributes:
  check_mode: {support: full, description: Changes nothing.}
"""

EXAMPLES = r"""
- name: What became of Anna Adler's images
  omero_import_info:
    host: omero1.imaging.example.org
    password: "{{ vault_omero_root_password }}"
    ca_file: /etc/facility/tls/ca.crt
    login: aadler
  vars:
    ansible_python_interpreter: /opt/omero/server/venv/bin/python
  register: imports
"""

RETURN = r"""
report:
  description: All of it as lines for people - whose, what, how much, where, since when, which attempt, and why.
  returned: success
  type: list
  elements: str
images:
  description: Images that came in through the DropBox, oldest first - image, name, path, owner, time in epoch seconds.
  returned: success
  type: list
  elements: dict
waiting:
  description: Sets that aren't complete yet, or wait for OMERO, with the reason.
  returned: success
  type: list
  elements: dict
offered:
  description: Sets that lie in the DropBox and aren't imported wholly yet.
  returned: success
  type: list
  elements: dict
done:
  description: Sets that were imported within the last month.
  returned: success
  type: list
  elements: dict
stuck:
  description: Sets in quarantine and folders that settle refuses to look into, with the reason.
  returned: success
  type: list
  elements: dict
"""

import time
from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.drive.import_report import report
from ansible.module_utils.facility.drive.status import SettleError, read, sorted_out
from ansible.module_utils.facility.omero.connection import CONNECTION_OPTIONS, OmeroError, open_session, server_of
from ansible.module_utils.facility.omero.imports import imported_images

_DAY = 86400
ARGUMENTS: dict[str, Any] = {
    **CONNECTION_OPTIONS,
    "login": {"type": "str", "default": ""},
    "dropbox": {"type": "path", "default": "/OMERO/DropBox"},
    "settle_program": {"type": "path", "default": "/usr/local/lib/settle"},
    "settle_config": {"type": "path", "default": "/etc/settle/settle.toml"},
    "days": {"type": "int", "default": 0},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    now = time.time()
    try:
        sets = sorted_out(read(params["settle_program"], params["settle_config"]), params["login"])
        with open_session(server_of(params)) as session:
            since = now - params["days"] * _DAY if params["days"] else 0
            found = imported_images(session, params["dropbox"], params["login"], since)
            images = [asdict(image) for image in found]
    except (OmeroError, SettleError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, report=report(sets, images, now), images=images, **sets)


if __name__ == "__main__":
    main()
