# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that all modules on the OMERO host share."""


class ModuleDocFragment:
    """Options of the connection to OMERO."""

    DOCUMENTATION = r"""
options:
  host:
    description: The server's name, as its certificate has it.
    type: str
    required: true
  port:
    description: The TLS port.
    type: int
    default: 4064
  user:
    description: Who logs in; for changes an administrator.
    type: str
    default: root
  password:
    description: That user's password.
    type: str
    required: true
  ca_file:
    description: PEM file with the authority that signed the server's certificate.
    type: path
    required: true
requirements: [omero-py >= 5.19]
author: [The facility as code project (@facility-as-code)]
"""
