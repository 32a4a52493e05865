#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ppms_right
short_description: Who may use which instrument, in PPMS
description:
  - Gives people their rights on instruments in the booking system PPMS, all in one task, and asks afterwards whether
    they really have them. Rights that aren't named stay.
  - What closes is set before what opens. A right V(D) of somebody whom PPMS doesn't know is there already.
  - Runs on the controller.
options:
  rights:
    description: The rights.
    type: list
    elements: dict
    required: true
    suboptions:
      system_id:
        description: The instrument's number in PPMS.
        type: int
        required: true
      right:
        description: V(A) autonomous, V(N) novice, V(S) superuser, V(D) deactivated.
        type: str
        choices: [A, N, S, D]
        required: true
      logins:
        description: Whose right it is to be. Who is named for two rights of one instrument is refused.
        type: list
        elements: str
        required: true
  keep_superusers:
    description: Whether somebody who is a superuser (V(S)) of an instrument stays that, whatever O(rights) says.
    type: bool
    default: false
  most_removed:
    description:
      - From how many people one run may take something. If more would lose a right or come down to a lesser one,
        nothing is changed, and the failure names them. Not given - from any number. Who has no right on an instrument
        yet loses none.
    type: int
  unknown_people:
    description:
      - What to do about people whom PPMS doesn't know. V(fail) does so before anything is changed.
      - V(ignore) leaves their rights out and returns them as C(ignored).
    type: str
    choices: [fail, ignore]
    default: fail
  new_people:
    description: Logins that count as known, as C(created) of M(ppms_user) in check mode, where nobody has made them.
    type: list
    elements: str
    default: []
extends_documentation_fragment: [ppms]
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change.}
  diff_mode: {support: full, description: Shows what differs.}
"""

EXAMPLES = r"""
- name: Trained people use the confocal microscope on their own
  ppms_right:
    url: https://ppms.example.org/site/pumapi/
    api_key: "{{ vault_ppms_api_key }}"
    rights:
      - {system_id: 11, right: A, logins: [aadler, ccosta]}
      - {system_id: 11, right: D, logins: [bbauer]}

- name: Rights follow the register, and superusers stay what PPMS made them
  ppms_right:
    url: https://ppms.example.org/site/pumapi/
    api_key: "{{ vault_ppms_api_key }}"
    rights: "{{ people_access | ppms_rights(people_register) }}"
    keep_superusers: true
    most_removed: 5
"""

RETURN = r"""
unchanged:
  description: How many were as they should be.
  returned: success
  type: int
kept_superusers:
  description: Logins of people who stayed superusers though O(rights) says V(D).
  returned: success
  type: list
  elements: str
ignored:
  description: Logins of people whose rights were left out, because PPMS doesn't know them.
  returned: success
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.ppms.pumapi import PpmsError
from ansible.module_utils.facility.ppms.task import CONNECTION, RIGHTS, connection, converge_rights

ARGUMENTS: dict[str, Any] = {
    **CONNECTION,
    "rights": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "system_id": {"type": "int", "required": True},
            "right": {"type": "str", "choices": list(RIGHTS), "required": True},
            "logins": {"type": "list", "elements": "str", "required": True},
        },
    },
    "keep_superusers": {"type": "bool", "default": False},
    "most_removed": {"type": "int"},
    "unknown_people": {"type": "str", "choices": ["fail", "ignore"], "default": "fail"},
    "new_people": {"type": "list", "elements": "str", "default": []},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        result = converge_rights(
            connection(module.params),
            module.params["rights"],
            check_mode=module.check_mode,
            keep_superusers=module.params["keep_superusers"],
            most_removed=module.params["most_removed"],
            ignore_unknown=module.params["unknown_people"] == "ignore",
            new_people=module.params["new_people"],
        )
    except PpmsError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
