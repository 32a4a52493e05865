#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: systemd_units
short_description: A service's systemd units in one task
description:
  - Asks systemd for all units in one call, and touches only those that aren't as they should be.
  - Lets systemd read units anew whose files are newer than what it knows; that is no change.
  - Restarts or reloads a running unit that began to run, or was reloaded, before its files changed. So nothing is lost
    when a run is killed after it has changed a file - the next one sees the same, and no handler is needed.
  - What O(units[].state=started) names is restarted for its own file and drop-ins in C(/etc/systemd/system), too.
  - A file counts as changed when its inode did (C(ctime)), whatever its date says. One of the future, as a wrong clock
    leaves it, restarts its unit once.
options:
  units:
    description: The units, in the order in which they are touched.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The unit's whole name, as V(settle.service).
        type: str
        required: true
      state:
        description: Left out, it runs or rests as it does.
        type: str
        choices: [started, stopped]
      enabled:
        description: Whether it starts with the host.
        type: bool
      masked:
        description: Whether nothing can start it.
        type: bool
      restart_for:
        description:
          - Files and folders that it reads when it starts, absolute. They must be there. A folder stands for all
            that is in it, a link for itself. Name nothing that the service itself writes.
        type: list
        elements: path
        default: []
      reload_for:
        description: The same of what a reload is enough for. A unit that can't reload is restarted.
        type: list
        elements: path
        default: []
  changed_paths:
    description:
      - Paths that tasks of this run have changed. Only needed in check mode, where nothing is newer yet, to show the
        restarts that they would lead to.
    type: list
    elements: path
    default: []
attributes:
  check_mode:
    support: full
    description: Shows what a run would change. A unit that is not there yet is taken for one that would be.
  diff_mode: {support: full, description: Shows state and enablement of each unit that changes.}
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: Settle and its timer run and start with the host
  systemd_units:
    units:
      - name: settle.service
        state: started
        enabled: true
        restart_for: [/etc/settle/settle.toml, /usr/local/lib/settle]
      - {name: settle-report.timer, state: started, enabled: true}
      - {name: nmbd.service, state: stopped, masked: true}
    changed_paths: "{{ settle_files.changed_paths }}"
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be, as V(start settle.service) or V(restart settle.service).
  returned: success
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.core.units import (
    STATES,
    Unit,
    UnitsError,
    apply,
    file_times,
    know_newer_files,
    no_later_than_now,
    plan,
    seen,
)

ARGUMENTS: dict[str, Any] = {
    "units": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": list(STATES)},
            "enabled": {"type": "bool"},
            "masked": {"type": "bool"},
            "restart_for": {"type": "list", "elements": "path", "default": []},
            "reload_for": {"type": "list", "elements": "path", "default": []},
        },
    },
    "changed_paths": {"type": "list", "elements": "path", "default": []},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    wanted = [Unit(**one) for one in module.params["units"]]
    read = [path for unit in wanted for path in unit.all_files()]
    try:
        stale = know_newer_files(check_mode=module.check_mode)
        there = seen([unit.name for unit in wanted])
        changing = module.params["changed_paths"] if module.check_mode else None
        steps = plan(wanted, there, file_times(read), stale=stale, changing=changing)
        if steps and not module.check_mode:
            no_later_than_now(read)
            apply(steps)
    except UnitsError as error:
        module.fail_json(msg=str(error))
    named = {step.name for step in steps}
    before = [f"{name}: {one.active}, {one.file or one.load}" for name, one in there.items() if name in named]
    after = [f"{step.name}: {step.verb}" for step in steps]
    module.exit_json(
        changed=bool(steps),
        steps=[f"{step.verb} {step.name}" for step in steps],
        diff={"before": "\n".join([*before, ""]), "after": "\n".join([*after, ""])} if steps else {},
    )


if __name__ == "__main__":
    main()
