#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ppms_agent_info
short_description: How the PPMS agents of many device PCs are, asked all at once
description:
  - Asks each PC over WinRM, with one shell and one command, how its agent is, compares it with what it should be, and
    says what is wrong with the cure.
  - A PC that is off or refuses is part of the answer and does not fail the task.
  - Runs on the controller, in one process, so that a thousand PCs take little longer than their answers.
    C(playbooks/devices.yml) then lets M(ppms_agent) see to those that need something.
options:
  pcs:
    description: One entry a PC, with the options of M(ppms_agent).
    type: list
    elements: dict
    required: true
    suboptions:
      host:
        description: The PC's name, as its certificate has it.
        type: str
        required: true
      port:
        description: Where WinRM listens; 5986 is HTTPS.
        type: int
        default: 5986
      scheme:
        description: V(http) only with V(ntlm) or V(kerberos), which encrypt messages themselves.
        type: str
        choices: [https, http]
        default: https
      transport:
        description: How to log on.
        type: str
        choices: [ntlm, kerberos, basic, certificate]
        default: ntlm
      username:
        description: An administrator of the PC.
        type: str
        default: ""
      password:
        description: That account's password. With Kerberos a ticket of the controller's does as well.
        type: str
        default: ""
      certificate:
        description: The client's certificate (PEM), with transport V(certificate).
        type: path
      private_key:
        description: Its key (PEM).
        type: path
      ca_file:
        description: PEM file with the authority that signed the PC's certificate; without it the controller's trust.
        type: path
      connect_seconds:
        description: How long a PC may take to answer the door before it counts as off.
        type: float
        default: 5
      state:
        description: Whether the agent should be there.
        type: str
        choices: [present, absent]
        default: present
      purge_journal:
        description: With V(absent), take the journal of reported minutes away too.
        type: bool
        default: false
      engine:
        description: Which of the twins; V(auto) takes VBScript where it works, else JScript.
        type: str
        choices: [auto, vbscript, jscript]
        default: auto
      tracker_url:
        description: Address of PPMS's time tracker, https only. Required with V(present).
        type: str
      system_id:
        description: The instrument's number in PPMS. Required with V(present).
        type: int
      tracker_code:
        description: The instrument's tracker code, from its page in PPMS. Required with V(present).
        type: str
      interval_minutes:
        description: How often to report; each report counts as many minutes.
        type: int
        default: 1
      login_rule:
        description: What of IMAGING\\aadler or aadler@example.org PPMS knows as login.
        type: str
        choices: [without_domain, with_domain]
        default: without_domain
      domains:
        description: Report only people of these domains; without it everybody.
        type: list
        elements: str
        default: []
      ignored_logins:
        description: Never report these, like a local administrator.
        type: list
        elements: str
        default: []
      catch_up:
        description:
          - What to do about minutes that could not be sent. V(off) journals them, V(report) also counts them apart,
            V(send) sends them with the next minute of the same person, while that person stays.
        type: str
        choices: ["off", report, send]
        default: "off"
      catch_up_limit_minutes:
        description: At most so many minutes are sent late.
        type: int
        default: 15
      tracker_answers:
        description:
          - What the tracker says when it has counted, as the agent's journal shows it, at most 80 characters.
          - For an answer without text write (empty). Any other success is C(unsure), which is reported.
        type: list
        elements: str
        default: [OK]
      proxy:
        description: V(direct), or host:port; without it what the PC's own WinHTTP settings say.
        type: str
        default: ""
      journal_days:
        description: How long the PC keeps its journal.
        type: int
        default: 35
  programs:
    description: Folder on the controller with C(ppms-agent.vbs) and C(ppms-agent.js).
    type: path
    required: true
  threads:
    description: How many PCs are asked at a time.
    type: int
    default: 32
  probe:
    description: Let each agent also say whom it sees at the console and whether it reaches PPMS; one command more a PC.
    type: bool
    default: false
  progress:
    description:
      - A file, or a terminal, to which a line is added for each PC as soon as it is known; a PC that is silent keeps no
        other one waiting.
    type: path
attributes:
  check_mode: {support: full, description: Never changes anything.}
  diff_mode: {support: none, description: Each PC's entry holds the difference.}
requirements: [pywinrm >= 0.5.0]
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: All agents are looked at
  ppms_agent_info:
    pcs: "{{ ansible_play_hosts | map('extract', hostvars, 'device_pc_agent') | list }}"
    programs: roles/device_pc/files
  delegate_to: localhost
  run_once: true
  register: device_pcs
"""

RETURN = r"""
pcs:
  description: One entry a PC, in the order of the option.
  returned: success
  type: list
  elements: dict
  contains:
    host:
      description: The PC's name.
      type: str
    reachable:
      description: Whether the PC answered the question.
      type: bool
    kind:
      description: If not, or if the wish makes no sense, of what kind the trouble is.
      type: str
    problems:
      description: What is wrong, one line each with the cure; empty when all is well.
      type: list
      elements: str
    changed:
      description: Whether M(ppms_agent) would change anything.
      type: bool
    diff:
      description: What it would change.
      type: dict
    engine:
      description: The engine that the agent should use.
      type: str
    installed:
      description: The engine whose agent is there; empty when none is.
      type: str
    files:
      description: SHA-256 of the agent's programs.
      type: dict
    settings:
      description: The agent's settings as they are on the PC.
      type: dict
    task:
      description: What counts of the scheduled task as it is; empty when there is none.
      type: dict
    state:
      description: What the agent wrote about its last run, like C(version), C(last_run), C(last_sent) and C(console).
      type: dict
    lost_minutes:
      description: Minutes that could not be reported.
      type: int
    clock_difference:
      description: The PC's clock minus the controller's, in seconds.
      type: float
    probe:
      description: What the agent itself says, with O(probe); C(tracker) is whether PPMS can be reached from the PC.
      type: dict
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.device_pc.agent.fleet import look, progress_line
from ansible.module_utils.facility.device_pc.agent.options import AGENT, PROGRAMS_FOLDER

ARGUMENTS: dict[str, Any] = {
    "pcs": {"type": "list", "elements": "dict", "required": True, "options": AGENT},
    **PROGRAMS_FOLDER,
    "threads": {"type": "int", "default": 32},
    "probe": {"type": "bool", "default": False},
    "progress": {"type": "path"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    try:
        with Path(params["progress"] or os.devnull).open("a", encoding="utf-8") as progress:
            found = look(
                params["pcs"],
                Path(params["programs"]),
                params["threads"],
                probe=params["probe"],
                told=lambda entry: print(progress_line(entry, datetime.now(UTC)), file=progress, flush=True),
            )
    except OSError as error:
        module.fail_json(msg=f"progress {params['progress']}: can't be written ({error.strerror}): name another file")
    module.exit_json(changed=False, pcs=found)


if __name__ == "__main__":
    main()
