#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Distribution, memory, processors and installed packages of a host, as facts
description:
  - What roles must know of a host before they do anything, in one question; M(ansible.builtin.setup) takes as long for
    each of its subsets, and M(ansible.builtin.apt) ten times as long to find nothing to do. Roles ask once a host, and
    call apt only for what lacks.
  - The facts have the names that M(ansible.builtin.setup) gives them.
  - Changes nothing.
options: {}
attributes:
  check_mode: {support: full, description: Changes nothing.}
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: The host's facts are known
  host_info:
  when: ansible_facts.installed_packages is not defined

- name: The wiki's packages are installed
  ansible.builtin.apt:
    name: "{{ wiki_packages }}"
    install_recommends: false
  when: wiki_packages is not subset(ansible_facts.installed_packages)
"""

RETURN = r"""
ansible_facts:
  description: The facts.
  returned: success
  type: dict
  contains:
    architecture: {description: "The kernel's name of it, as V(x86_64).", type: str, returned: always}
    distribution: {description: As V(Debian)., type: str, returned: always}
    distribution_major_version: {description: As V("12")., type: str, returned: always}
    installed_packages: {description: All that are installed whole., type: list, elements: str, returned: always}
    memtotal_mb: {description: The host's memory in MiB., type: int, returned: always}
    processor_nproc: {description: Processors that a process may use., type: int, returned: always}
"""

import os
import subprocess
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.core.host import PACKAGES, HostError, facts

ARGUMENTS: dict[str, Any] = {}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        packages = subprocess.run(PACKAGES, capture_output=True, text=True, check=True).stdout
        files = (Path("/etc/os-release").read_text(), Path("/proc/meminfo").read_text())
        processors, architecture = len(os.sched_getaffinity(0)), os.uname().machine
        found = facts(*files, packages, processors=processors, architecture=architecture)
    except (OSError, subprocess.CalledProcessError, HostError) as error:
        module.fail_json(msg=f"The host can't be asked what it is: {error}; it must run Debian")
    module.exit_json(changed=False, ansible_facts=dict(found))


if __name__ == "__main__":
    main()
