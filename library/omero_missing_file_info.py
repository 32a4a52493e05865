#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: omero_missing_file_info
short_description: Show which files that OMERO's database knows are missing on the disk, or of another size
description:
  - Looks for each file on the host's own disk, without OMERO, as after a restore.
  - Changes nothing. Needs nothing but the host's Python.
options:
  root:
    description: The managed repository, as V(/OMERO/ManagedRepository).
    type: path
    required: true
  files:
    description: >-
      What the database knows of each file, with C(file) (below O(root)) and C(size) in bytes; more in it is kept.
    type: list
    elements: dict
    required: true
attributes:
  check_mode: {support: full, description: Changes nothing.}
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: Files that were imported after the last backup are known
  omero_missing_file_info:
    root: "{{ omero_server_data_dir }}/ManagedRepository"
    files: "{{ rows.query_result }}"
  register: missing
"""

RETURN = r"""
missing:
  description: The entries of O(files) whose file is missing or of another size.
  returned: success
  type: list
  elements: dict
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.omero.missing_files import missing_files

ARGUMENTS: dict[str, Any] = {
    "root": {"type": "path", "required": True},
    "files": {"type": "list", "elements": "dict", "required": True},
}


def main() -> None:
    """Run the module."""
    # Or else Ansible would write the names of all people's files into the host's journal.
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True, no_log=True)
    try:
        missing = missing_files(Path(module.params["root"]), module.params["files"])
    except (KeyError, OSError, ValueError) as error:
        module.fail_json(msg=f"{module.params['root']}: {error}; nothing is known of the files")
    module.exit_json(changed=False, missing=missing)


if __name__ == "__main__":
    main()
