#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: omero_file_info
short_description: Read files of images through OMERO and compare them with what OMERO knows of them
description:
  - Draws some of the files that belong to images, of each person at least one, reads them as a client of OMERO's would,
    and compares size and SHA-1 with OMERO's own notes. Each run draws others.
  - Changes nothing. Runs on the OMERO host with OMERO's own Python.
extends_documentation_fragment: [omero]
options:
  most_files:
    description: At most so many files are read; 0 reads none and only counts.
    type: int
    default: 200
  most_bytes:
    description: At most so many bytes are read; a file that is larger than what is left of them is passed over.
    type: int
    default: 2000000000
attributes:
  check_mode: {support: full, description: Changes nothing.}
"""

EXAMPLES = r"""
- name: Images can be read
  omero_file_info:
    host: omero1.imaging.example.org
    password: "{{ vault_omero_root_password }}"
    ca_file: /etc/facility/tls/ca.crt
  vars:
    ansible_python_interpreter: /opt/omero/server/venv/bin/python
  register: files
  failed_when: files.faults | length > 0 or files.read == 0
"""

RETURN = r"""
known:
  description: How many files belong to images.
  returned: success
  type: int
read:
  description: How many of them were read.
  returned: success
  type: int
bytes:
  description: How many bytes that were.
  returned: success
  type: int
faults:
  description: Files that could not be read or are not what OMERO knows - path, owner, fault.
  returned: success
  type: list
  elements: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.omero.connection import CONNECTION_OPTIONS, OmeroError, open_session, server_of
from ansible.module_utils.facility.omero.files import chosen, fault_of, image_files

ARGUMENTS: dict[str, Any] = {
    **CONNECTION_OPTIONS,
    "most_files": {"type": "int", "default": 200},
    "most_bytes": {"type": "int", "default": 2_000_000_000},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    try:
        with open_session(server_of(params)) as session:
            files = image_files(session)
            sample = chosen(files, params["most_files"], params["most_bytes"])
            checked = [(file, fault_of(session, file)) for file in sample]
    except OmeroError as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=False,
        known=len(files),
        read=len(sample),
        bytes=sum(file.size for file in sample),
        faults=[{"path": file.path, "owner": file.owner, "fault": fault} for file, fault in checked if fault],
    )


if __name__ == "__main__":
    main()
