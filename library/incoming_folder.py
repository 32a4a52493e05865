#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: incoming_folder
short_description: One private folder a person, that services may reach
description:
  - Makes a folder for each login, owned by that person, closed to everybody else but the given services.
  - Access lists (POSIX) see to it that services keep their access to whatever is put there, and the person to what
    services put there. They are handed down to new files and folders; what is in a folder already is not changed.
  - Runs as root on the host that holds the folders. Logins are looked up as the host does, so winbind must answer.
options:
  root:
    description: The folder that holds them. It should be root's, so that nobody can replace a folder.
    type: path
    required: true
  logins:
    description: Whose folders.
    type: list
    elements: str
    required: true
  readers:
    description: Services that reach every folder.
    type: list
    elements: dict
    default: []
    suboptions:
      user:
        description: A user of the host.
        type: str
        required: true
      access:
        description: What it may do.
        type: str
        choices: [r-x, rwx]
        default: r-x
  owner:
    description: A user to whom all folders belong, the people having no access; without it each belongs to its person.
    type: str
    default: ""
  state:
    description: Whether the folders should be there. Only empty ones are removed.
    type: str
    choices: [present, absent]
    default: present
  unknown_logins:
    description:
      - What to do about logins that the host doesn't know. V(report) returns them; V(fail) does nothing then.
      - When it knows none of them the module always fails, because then the directory doesn't answer.
    type: str
    choices: [report, fail]
    default: report
  lowest_uid:
    description: Accounts below are the host's own and count as unknown.
    type: int
    default: 1000
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change.}
  diff_mode: {support: full, description: Shows owner and access lists where they differ.}
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: Everybody has a folder
  incoming_folder:
    root: /OMERO/incoming
    logins: [aadler, bbauer]
    readers:
      - {user: settle, access: rwx}
      - {user: omero-server}

- name: Folders of people who left are gone, if they are empty
  incoming_folder:
    root: /OMERO/incoming
    logins: [cclausen]
    state: absent
"""

RETURN = r"""
created:
  description: Logins whose folders were made, or would be in check mode.
  returned: success
  type: list
  elements: str
updated:
  description: Logins whose folders had another owner or other access lists.
  returned: success
  type: list
  elements: str
deleted:
  description: Logins whose empty folders were removed.
  returned: success
  type: list
  elements: str
kept:
  description: Logins whose folders should be absent but hold files.
  returned: success
  type: list
  elements: str
unknown:
  description: Logins that this host doesn't know.
  returned: success
  type: list
  elements: str
unchanged:
  description: How many were as they should be.
  returned: success
  type: int
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.drive.folders import FolderError, FoldersTask, Wish, converge
from ansible.module_utils.facility.drive.folders_host import LocalHost

ARGUMENTS: dict[str, Any] = {
    "root": {"type": "path", "required": True},
    "logins": {"type": "list", "elements": "str", "required": True},
    "readers": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "user": {"type": "str", "required": True},
            "access": {"type": "str", "choices": ["r-x", "rwx"], "default": "r-x"},
        },
    },
    "owner": {"type": "str", "default": ""},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "unknown_logins": {"type": "str", "choices": ["report", "fail"], "default": "report"},
    "lowest_uid": {"type": "int", "default": 1000},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    wish = Wish(
        logins=params["logins"],
        readers=[(reader["user"], reader["access"]) for reader in params["readers"]],
        owner=params["owner"],
        state=params["state"],
        unknown_logins=params["unknown_logins"],
        lowest_uid=params["lowest_uid"],
    )
    try:
        result = converge(FoldersTask(wish, LocalHost(Path(params["root"]))), check_mode=module.check_mode)
    except FolderError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
