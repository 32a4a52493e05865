#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: restic_repository_info
short_description: Show what is in a restic repository, whether its dates can be true, and what belongs to a moment
description:
  - Lists snapshots and keys of a repository in a folder or behind a rest-server, and takes no lock there.
  - Changes nothing. Needs restic 0.17 or newer on the host it runs on.
options:
  repository:
    description: A folder, or an address like V(rest:https://backup1.imaging.example.org:8001/omero1.imaging.example.org/).
    type: str
    required: true
  password:
    description: The repository's password. It reaches restic in a file that only this user can read.
    type: str
  password_file:
    description: A file on the host with the repository's password.
    type: path
  server_user:
    description: The name at the rest-server.
    type: str
    default: ""
  server_password:
    description: The password at the rest-server.
    type: str
    default: ""
  ca_file:
    description: PEM file with the authority of the rest-server's certificate; without it the host's own trust.
    type: path
    default: ""
  path:
    description: The repository's folder, when it is on this host. Then the result has, too, when each snapshot came in.
    type: path
  seconds:
    description: For how long each question to restic may take.
    type: int
    default: 120
  choose:
    description:
      - Which snapshots to choose. V(last_before) is the last one that began before O(moment).
      - V(around) is the last one that began at O(moment) or before, and the first one after it, for what was there at a
        moment may have been erased soon after it, or had just come.
      - V(first_since) is the first one that began at O(moment) or after, and while there is none yet, the last one
        since O(earliest).
    type: str
    choices: [last_before, around, first_since]
    default: last_before
  moment:
    description: The moment of O(choose), in epoch seconds; left out, the newest snapshot is chosen.
    type: float
  earliest:
    description: For O(choose=first_since), no snapshot before this is chosen; epoch seconds.
    type: float
  snapshot:
    description: Choose the one snapshot whose id begins so, whatever O(choose) says. Fails when it isn't one alone.
    type: str
    default: ""
attributes:
  check_mode: {support: full, description: Changes nothing.}
"""

EXAMPLES = r"""
- name: What the backup host keeps of omero1
  restic_repository_info:
    repository: /srv/backup/restic/omero1.imaging.example.org
    path: /srv/backup/restic/omero1.imaging.example.org
    password: "{{ vault_backup_recovery_password }}"
  become: true
  become_user: restic-rest-server
  register: backups

- name: The same from the client
  restic_repository_info:
    repository: rest:https://backup1.imaging.example.org:8001/omero1.imaging.example.org/
    password_file: /etc/facility-backup/repository-password
    server_user: omero1.imaging.example.org
    server_password: "{{ vault_backup_server_password }}"
    ca_file: /etc/facility/tls/ca.crt
    choose: last_before
    moment: "{{ '2026-11-24 18:00' | local_moment('Europe/Berlin') }}"
"""

RETURN = r"""
snapshots:
  description: >-
    All snapshots, oldest claimed time first - id, time (as the client claims) and arrived (with O(path), else null) in
    epoch seconds, host, paths, tags, files and bytes (-1 when unknown), original (the id before it was rewritten), and
    untrusted (with O(path)) - future, backdated, or empty.
  returned: success
  type: list
  elements: dict
chosen:
  description: Ids of the snapshots that were chosen, the older one first; at most two, none where no snapshot fits.
  returned: success
  type: list
  elements: str
newest:
  description: When the newest trusted snapshot came in, without O(path) when it claims to be of; epoch seconds or null.
  returned: success
  type: float
oldest:
  description: The same of the oldest.
  returned: success
  type: float
keys:
  description: User names of the repository's keys.
  returned: success
  type: list
  elements: str
bytes:
  description: What the data of all snapshots take in the repository.
  returned: success
  type: int
trusted:
  description: Whether every snapshot's date can be true; null without O(path), for only arrival times can show that.
  returned: success
  type: bool
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.backup.choice import RULES, ChoiceError, choose, named
from ansible.module_utils.facility.backup.health import overview
from ansible.module_utils.facility.backup.restic import ResticError, arrivals, open_repository

ARGUMENTS: dict[str, Any] = {
    "repository": {"type": "str", "required": True},
    "password": {"type": "str", "no_log": True},
    "password_file": {"type": "path"},
    "server_user": {"type": "str", "default": ""},
    "server_password": {"type": "str", "no_log": True, "default": ""},
    "ca_file": {"type": "path", "default": ""},
    "path": {"type": "path"},
    "seconds": {"type": "int", "default": 120},
    "choose": {"type": "str", "choices": list(RULES), "default": "last_before"},
    "moment": {"type": "float"},
    "earliest": {"type": "float"},
    "snapshot": {"type": "str", "default": ""},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        mutually_exclusive=[("password", "password_file")],
        required_one_of=[("password", "password_file")],
        supports_check_mode=True,
    )
    params = module.params
    server = {"user": params["server_user"], "password": params["server_password"], "ca_file": params["ca_file"]}
    secret = (params["password"], params["password_file"])
    try:
        # First the arrivals: what comes in between is listed without one.
        arrived = arrivals(params["path"]) if params["path"] else None
        with open_repository(params["repository"], *secret, seconds=params["seconds"], **server) as port:
            snapshots = port.snapshots()
            found = overview(snapshots, arrived) | {"keys": port.keys(), "bytes": port.stored_bytes()}
        if params["snapshot"]:
            chosen = named(snapshots, params["snapshot"])
        else:
            chosen = choose(snapshots, params["choose"], params["moment"], params["earliest"])
    except (ChoiceError, ResticError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, chosen=[snapshot.id for snapshot in chosen], **found)


if __name__ == "__main__":
    main()
