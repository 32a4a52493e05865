#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: served_certificate_info
short_description: Show whether a host's ports serve the certificate that lies on its disk, and when it ends
description:
  - Connects to each port of the host itself as a client would, and compares what it shows with the file.
  - A service that was not told of a renewal goes on with the old certificate until that has ended.
  - Runs on the host with Debian's Python alone. Changes nothing.
options:
  certificate:
    description: The PEM file that the services should serve; its first certificate counts.
    type: path
    default: /etc/facility/tls/host.crt
  name:
    description: The name that clients ask for.
    type: str
    required: true
  ports:
    description: Ports to ask.
    type: list
    elements: dict
    required: true
    suboptions:
      port:
        description: The port.
        type: int
        required: true
      start:
        description: How TLS begins there - at once, or after a request of LDAP or of PostgreSQL.
        type: str
        choices: [tls, ldap, postgresql]
        default: tls
      address:
        description: The host's own address where it listens, if that is not its name's.
        type: str
attributes:
  check_mode: {support: full, description: Changes nothing.}
author: [The facility as code project (@facility-as-code)]
"""

EXAMPLES = r"""
- name: Certificates that services serve are known
  served_certificate_info:
    name: "{{ inventory_hostname }}"
    ports: [{port: 636}, {port: 389, start: ldap}]
  register: served
"""

RETURN = r"""
served:
  description: >-
    For each port, whether it is the file's (same; null if it shows none), its begin and end in seconds since 1970
    (begins, ends), and fault.
  returned: success
  type: list
  elements: dict
stale:
  description: Ports that serve another certificate than the file's.
  returned: success
  type: list
  elements: int
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facility.core.served_certificate import STARTS, CertificateError, on_disk, served, stale

ARGUMENTS: dict[str, Any] = {
    "certificate": {"type": "path", "default": "/etc/facility/tls/host.crt"},
    "name": {"type": "str", "required": True},
    "ports": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "port": {"type": "int", "required": True},
            "start": {"type": "str", "choices": list(STARTS), "default": "tls"},
            "address": {"type": "str"},
        },
    },
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    name = module.params["name"]
    try:
        expected = on_disk(Path(module.params["certificate"]))
    except CertificateError as error:
        module.fail_json(msg=str(error))
    ports = module.params["ports"]
    found = [served(one["address"] or name, name, one["port"], one["start"], expected) for one in ports]
    module.exit_json(changed=False, served=[asdict(one) for one in found], stale=stale(found))


if __name__ == "__main__":
    main()
