#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: files_in_place
short_description: A service's files, folders and links in one task, all of them or none
description:
  - Brings a list of paths to what they should be. New contents are on the disk beside their places, with owner and
    mode, and have passed their validation before the first takes its place; what goes wrong after that is undone. So a
    full disk, or a file that isn't valid, leaves everything as it was.
  - One execution on the host, whatever the number of files; M(ansible.builtin.template) takes two to three apiece.
  - Templates are filled in on the controller, with P(ansible.builtin.template#lookup).
  - A file's folder must be there, or stand in the list; what is missing above a folder of the list is made, root's and
    V(0755). Links are not followed, a link at a file's path is replaced.
options:
  files:
    description: The paths.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Where it is, absolute.
        type: path
        required: true
      state:
        description: >-
          What shall be there. V(absent) removes files and links; a folder is never removed. With O(files[].target) it
          is V(link).
        type: str
        choices: [file, directory, link, absent]
        default: file
      content:
        description: A file's text. Left out, whatever it holds; then the file must be there.
        type: str
      secret:
        description:
          - As O(files[].content), for what nobody may read in diffs, logs or results. The mode is then V(0600) where it
            is left out.
        type: str
      target:
        description: Where a link leads, as it shall stand in it.
        type: str
      owner:
        description: Name of the owner; root where it is left out.
        type: str
      group:
        description: Name of the group; the owner's own where it is left out.
        type: str
      mode:
        description: Octal digits as V("0644"). Left out, V("0644") for files and V("0755") for folders.
        type: str
      validate:
        description: >-
          A command that checks the new file, with C(%s) for its place, as V(nft --check --file %s). It runs before any
          file is replaced, and not in check mode.
        type: str
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change. Contents are not validated.}
  diff_mode: {support: full, description: Shows each file that changes; secrets stay hidden.}
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: Settings of settle are in place
  files_in_place:
    files:
      - {path: /etc/settle, state: directory}
      - path: /etc/settle/settle.toml
        content: "{{ lookup('ansible.builtin.template', 'settle.toml.j2') }}"
        validate: facility-settle --check --config %s
      - {path: /etc/settle/password, secret: "{{ settle_password }}", owner: settle}
  register: settle_files

- name: Settle runs with its settings
  systemd_units:
    units: [{name: settle.service, state: started, restart_for: [/etc/settle/settle.toml, /etc/settle/password]}]
    changed_paths: "{{ settle_files.changed_paths }}"
"""

RETURN = r"""
changed_paths:
  description: Paths that were changed, or in check mode would be, in the order of the list.
  returned: success
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.core.files_in_place import KINDS, FilesError, entries_of, put_in_place

ARGUMENTS: dict[str, Any] = {
    "files": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "path": {"type": "path", "required": True},
            "state": {"type": "str", "choices": list(KINDS), "default": "file"},
            "content": {"type": "str"},
            "secret": {"type": "str", "no_log": True},
            "target": {"type": "str"},
            "owner": {"type": "str"},
            "group": {"type": "str"},
            "mode": {"type": "str"},
            "validate": {"type": "str"},
        },
        "mutually_exclusive": [("content", "secret", "target")],
    },
}


def main() -> None:
    """Run the module."""
    # ansible.cfg says no_target_syslog, or contents would stand in the host's journal; no_log here would be overruled.
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        changes = put_in_place(entries_of(module.params["files"]), check_mode=module.check_mode)
    except FilesError as error:
        module.fail_json(msg=f"{error}. Nothing was changed.")
    module.exit_json(
        changed=bool(changes),
        changed_paths=[str(change.entry.path) for change in changes],
        diff=[change.diff() for change in changes],
    )


if __name__ == "__main__":
    main()
