# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that all modules for device PCs share."""


class ModuleDocFragment:
    """Options of the connection to a PC."""

    DOCUMENTATION = r"""
options:
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
    description: PEM file with the authority that signed the PC's certificate; without it the controller's own trust.
    type: path
  connect_seconds:
    description: How long a PC may take to answer the door before it counts as off.
    type: float
    default: 5
requirements: [pywinrm >= 0.5.0]
author: [The facility as code project (@facility-as-code)]
"""
