#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: omero_import_probe
short_description: Import a tiny image through OMERO.dropbox, read it back, and remove it
description:
  - With O(state=present) it puts an image of 16 x 16 pixels into an account's folder in DropBox, waits until OMERO has
    it, and reads it back over the API as that account. Each run makes another image.
  - With O(state=absent) it deletes all images that came in through the account's folder, and empties the folder, which
    stays, because OMERO.dropbox would not watch another one of its name.
  - Runs on the OMERO host with OMERO's own Python, as root. The account must be there (M(omero_user)), and the DropBox
    monitor must run.
extends_documentation_fragment: [omero]
options:
  login:
    description: The account, which nobody uses for anything else.
    type: str
    required: true
  login_password:
    description: Its password; needed for O(state=present).
    type: str
    default: ""
  dropbox:
    description: OMERO's DropBox folder.
    type: path
    required: true
  report_file:
    description: Where the DropBox monitor writes its report.
    type: path
    required: true
  owner:
    description: The user as whom OMERO.dropbox reads.
    type: str
    default: omero-server
  seconds:
    description: How long each step may take. A real server needs half a minute.
    type: int
    default: 600
  state:
    description: Whether the image is imported, or removed with all that was left.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode: {support: full, description: "Imports and deletes nothing, so that it says nothing about OMERO, either."}
"""

EXAMPLES = r"""
- name: A probe image is imported
  omero_import_probe:
    host: omero1.imaging.example.org
    password: "{{ vault_omero_root_password }}"
    ca_file: /etc/facility/tls/ca.crt
    login: svc-import-probe
    login_password: "{{ probe_password }}"
    dropbox: /OMERO/DropBox
    report_file: /run/omero-dropbox-monitor/report.json
  vars:
    ansible_python_interpreter: /opt/omero/server/venv/bin/python
"""

RETURN = r"""
image:
  description: The id of the image.
  returned: state is present, and no check mode
  type: int
seconds:
  description: From the file in DropBox to the image in OMERO.
  returned: state is present
  type: float
removed:
  description: Ids of the images that were deleted.
  returned: state is absent
  type: list
  elements: int
"""

import time
import uuid
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.omero.connection import (
    CONNECTION_OPTIONS,
    OmeroError,
    Server,
    open_session,
    server_of,
)
from ansible.module_utils.facility.omero.import_probe import Way, imported, offer, picture, read_back, remove

ARGUMENTS: dict[str, Any] = {
    **CONNECTION_OPTIONS,
    "login": {"type": "str", "required": True},
    "login_password": {"type": "str", "default": "", "no_log": True},
    "dropbox": {"type": "path", "required": True},
    "report_file": {"type": "path", "required": True},
    "owner": {"type": "str", "default": "omero-server"},
    "seconds": {"type": "int", "default": 600},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    if module.check_mode:
        module.exit_json(changed=params["state"] == "present", removed=[])
    way = Way(params["login"], Path(params["dropbox"]), Path(params["report_file"]), params["owner"], params["seconds"])
    server = server_of(params)
    try:
        with open_session(server) as session:
            if params["state"] == "absent":
                removed = remove(session, way)
                module.exit_json(changed=bool(removed), removed=removed)
            name, began = f"probe-{uuid.uuid4().hex}.png", time.monotonic()
            content = picture(name)
            offer(way, name, content)
            image = imported(session, way, name)
            seconds = time.monotonic() - began
        own = Server(server.host, server.port, params["login"], params["login_password"], server.ca_file)
        read_back(own, image.image, content)
    except OmeroError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=True, image=image.image, seconds=round(seconds, 1))


if __name__ == "__main__":
    main()
