#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ppms_booking_info
short_description: Who has booked which instrument
description:
  - Asks the booking system PPMS for bookings and changes nothing.
  - Runs on the controller.
options:
  system_ids:
    description: The instruments, by their numbers in PPMS.
    type: list
    elements: int
    required: true
  day:
    description: Also the running sheet of this day, like C(2026-11-23).
    type: str
  facility_id:
    description: The core facility's number in PPMS, for the running sheet.
    type: int
    default: 1
extends_documentation_fragment: [ppms]
attributes:
  check_mode: {support: full, description: Never changes anything.}
  diff_mode: {support: none, description: There is nothing to show.}
"""

EXAMPLES = r"""
- name: Is the confocal microscope booked?
  ppms_booking_info:
    url: https://ppms.example.org/site/pumapi/
    api_key: "{{ vault_ppms_api_key }}"
    system_ids: [11]
  register: bookings
"""

RETURN = r"""
bookings:
  description: >-
    By the instrument's number, C(now) and C(next), each null or with login, minutes (to its end or start) and session.
  returned: success
  type: dict
sheet:
  description: >-
    With O(day), the day's lines with start, end, system, person (a full name, which two may share) and place.
  returned: success
  type: list
  elements: dict
"""

import re
from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.ppms.pumapi import PpmsError
from ansible.module_utils.facility.ppms.task import CONNECTION, connection

ARGUMENTS: dict[str, Any] = {
    **CONNECTION,
    "system_ids": {"type": "list", "elements": "int", "required": True},
    "day": {"type": "str"},
    "facility_id": {"type": "int", "default": 1},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    day = module.params["day"]
    if day and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", day):
        module.fail_json(msg=f'day "{day}" is no day: write it like 2026-11-23')
    try:
        ppms = connection(module.params)
        asked = {"now": ppms.booking, "next": ppms.next_booking}
        found = {
            str(system): {when: asdict(entry) if (entry := ask(system)) else None for when, ask in asked.items()}
            for system in module.params["system_ids"]
        }
        lines = ppms.running_sheet(module.params["facility_id"], day) if day else []
    except PpmsError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, bookings=found, sheet=[asdict(line) for line in lines])


if __name__ == "__main__":
    main()
