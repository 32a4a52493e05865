#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: pgbackrest_info
short_description: Show what pgBackRest keeps of databases
description:
  - Lists base backups and how far the archived write-ahead log reaches.
  - Changes nothing. Runs on the backup host or the database's host, as a user who may read pgBackRest's repository.
options:
  stanza:
    description: Only this one; all when it is empty.
    type: str
    default: ""
  config:
    description: pgBackRest's configuration.
    type: path
    default: /etc/pgbackrest/pgbackrest.conf
attributes:
  check_mode: {support: full, description: Changes nothing.}
"""

EXAMPLES = r"""
- name: Which base backups there are of OMERO's database
  pgbackrest_info:
    stanza: omero
  become: true
  become_user: pgbackrest
  register: database_backups
"""

RETURN = r"""
stanzas:
  description: >-
    One entry a stanza - name, ok, message, archive (folder of the newest log), oldest_wal and newest_wal (names of
    segments), and backups, oldest first, each with label, type (full, diff, incr), stop (epoch seconds), bytes (of the
    database) and error (pages with wrong checksums were found).
  returned: success
  type: list
  elements: dict
"""

from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.backup.pgbackrest import CONFIG, PgbackrestError, info

ARGUMENTS: dict[str, Any] = {
    "stanza": {"type": "str", "default": ""},
    "config": {"type": "path", "default": CONFIG},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        stanzas = [asdict(stanza) for stanza in info(module.params["stanza"], module.params["config"])]
    except PgbackrestError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, stanzas=stanzas)


if __name__ == "__main__":
    main()
