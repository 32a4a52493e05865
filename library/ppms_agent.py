#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ppms_agent
short_description: The agent that reports a device PC's use to PPMS is there, runs, and is closed to users
description:
  - Sees over WinRM to the agent's program, settings, tracker code, access lists and scheduled task.
  - Runs on the controller and needs nothing on the PC but Windows 7 or newer; neither PowerShell nor a reboot. Nobody
    who works at the PC sees anything of it.
  - New files arrive beside the old ones and are put in place together, so that an interrupted run leaves the old agent
    working. At the end the PC is asked again, and the module fails when it is not as wanted.
  - When nothing is to be done, one shell and one command are all that it takes.
options:
  state:
    description: Whether the agent should be there.
    type: str
    choices: [present, absent]
    default: present
  purge_journal:
    description: With V(absent), take the journal of reported minutes away too.
    type: bool
    default: false
  programs:
    description: Folder on the controller with C(ppms-agent.vbs) and C(ppms-agent.js).
    type: path
    required: true
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
      - What to do about minutes that could not be sent. V(off) journals them, V(report) also counts them apart, V(send)
        sends them with the next minute of the same person, while that person stays.
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
extends_documentation_fragment: [device_pc]
attributes:
  check_mode: {support: full, description: Shows exactly what a run would change.}
  diff_mode: {support: full, description: "Shows settings, task, access lists and checksums; never the tracker code."}
"""

EXAMPLES = r"""
- name: The agent reports this instrument's use
  ppms_agent:
    host: mic1.imaging.example.org
    username: facility-admin
    password: "{{ vault_device_pc_password }}"
    ca_file: /etc/facility/tls/ca.crt
    programs: roles/device_pc/files
    tracker_url: https://ppms.example.org/rt.asp
    system_id: 12
    tracker_code: "{{ vault_tracker_codes['confocal-1'] }}"
    domains: [IMAGING]

- name: A PC that is given away reports no more
  ppms_agent:
    host: mic9.imaging.example.org
    username: facility-admin
    password: "{{ vault_device_pc_password }}"
    programs: roles/device_pc/files
    state: absent
"""

RETURN = r"""
engine:
  description: Which of the twins is in use; empty with V(absent).
  returned: success
  type: str
  sample: vbscript
state:
  description: What the agent wrote about its last run before this one, like C(last_run) and C(unsent_minutes).
  returned: success
  type: dict
kind:
  description:
    - What kind of trouble it was; unreachable, refused, certificate, time-out, command failed, nonsense, or agent.
  returned: failure
  type: str
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.device_pc.agent.agent import AgentError, AnswerError
from ansible.module_utils.facility.device_pc.agent.options import ARGUMENTS, REQUIRED_IF, wish
from ansible.module_utils.facility.device_pc.agent.pc import converge
from ansible.module_utils.facility.device_pc.options import endpoint
from ansible.module_utils.facility.device_pc.trouble import Kind, WinrmError, nonsense
from ansible.module_utils.facility.device_pc.winrm import DevicePc


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, required_if=REQUIRED_IF, supports_check_mode=True)
    try:
        wanted = wish(module.params, Path(module.params["programs"]))
        with DevicePc(endpoint(module.params)) as pc:
            result = converge(pc, wanted, check_mode=module.check_mode)
    except WinrmError as error:
        module.fail_json(msg=str(error), kind=error.kind.value)
    except AnswerError as error:
        module.fail_json(msg=f"{module.params['host']}: {error}", kind=Kind.NONSENSE.value)
    except AgentError as error:
        module.fail_json(msg=str(error), kind="agent")
    except Exception as error:  # whatever a PC answers, it is that PC's problem
        module.fail_json(msg=str(nonsense(module.params["host"], error)), kind=Kind.NONSENSE.value)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
