#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: systemd_units
short_description: A service's systemd units in one task
description:
  - Asks systemd for all units in one call, and touches only those that aren't as they should be.
  - Lets systemd read units anew whose files are newer than what it knows; that is no change.
  - A restart is a handler's, with M(ansible.builtin.systemd_service).
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
      - {name: settle.service, state: started, enabled: true}
      - {name: settle-report.timer, state: started, enabled: true}
      - {name: nmbd.service, state: stopped, masked: true}
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be, as V(start settle.service).
  returned: success
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.core.units import STATES, Unit, UnitsError, apply, plan, seen

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
        },
    },
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    wanted = [Unit(**one) for one in module.params["units"]]
    try:
        there = seen([unit.name for unit in wanted])
        steps = plan(wanted, there, check_mode=module.check_mode)
        if not module.check_mode:
            apply(steps, there)
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
