#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: python_program
short_description: A Python program's files, in a folder of its own
description:
  - Brings the modules of a small program to a host in one task, whatever their number.
  - What the host's own Python can't read is refused before anything is changed, and all files are on the disk before
    the first takes its place.
  - A program with pages brings its templates, style sheets, scripts and translations (C(.html), C(.css), C(.js),
    C(.po)) in its packages.
  - Files of these kinds that aren't named are removed from the folder, so that nothing is left of an older version.
    Files that are in no package (C(folder/module.py)), or of another kind, are left alone.
options:
  path:
    description:
      - The program's own folder, which goes into C(PYTHONPATH). It and its packages' folders are made, readable for
        everybody, and are root's.
    type: path
    required: true
  files:
    description:
      - The text of each file, by its name below O(path), as V(facility/core/plan.py). Must not hold secrets.
      - In a role, filter C(program_files) gives them for the name of a program's package.
    type: dict
    required: true
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change.}
  diff_mode: {support: full, description: Shows the text of each file that changes.}
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: Settle's program is there
  python_program:
    path: /usr/local/lib/settle
    files: "{{ 'facility.drive.settle' | program_files }}"

- name: Settle runs with its program
  systemd_units:
    units: [{name: settle.service, state: started, restart_for: [/usr/local/lib/settle]}]
"""

RETURN = r"""
written:
  description: Files that were added or got another text, owner or mode.
  returned: success
  type: list
  elements: str
removed:
  description: Files that were there and aren't named.
  returned: success
  type: list
  elements: str
folders:
  description: Folders that were made, or had another owner or mode.
  returned: success
  type: list
  elements: str
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.core.python_program import ProgramError, install

ARGUMENTS: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "files": {"type": "dict", "required": True},
}


def main() -> None:
    """Run the module."""
    # Or else Ansible would write the whole program into the host's journal.
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True, no_log=True)
    try:
        done = install(Path(module.params["path"]), module.params["files"], check_mode=module.check_mode)
    except (ProgramError, OSError) as error:
        module.fail_json(msg=f"{module.params['path']}: {error}")
    module.exit_json(
        changed=bool(done),
        diff=done.diff(module.params["path"]),
        written=sorted(done.written),
        removed=list(done.removed),
        folders=[str(folder) for folder in done.folders],
    )


if __name__ == "__main__":
    main()
