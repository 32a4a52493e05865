# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation of all directory modules shares."""


class ModuleDocFragment:
    """The connection's options, as src/facility/directory/task.py takes them."""

    DOCUMENTATION = r"""
options:
  server_uri:
    description: C(ldaps://host) or, with O(start_tls), C(ldap://host). Environment E(FACILITY_DIRECTORY_SERVER_URI).
    type: str
    required: true
  bind_dn:
    description: The account to bind as, a DN or user@domain. E(FACILITY_DIRECTORY_BIND_DN).
    type: str
    required: true
  bind_password:
    description: Its password. E(FACILITY_DIRECTORY_BIND_PASSWORD).
    type: str
    required: true
  ca_file:
    description: PEM file of the CA to trust; the system's CAs if absent. E(FACILITY_DIRECTORY_CA_FILE).
    type: path
  start_tls:
    description: Encrypt a C(ldap://) connection with StartTLS before anything else. E(FACILITY_DIRECTORY_START_TLS).
    type: bool
    default: false
  timeout:
    description: Seconds to wait for a connection and for each answer. E(FACILITY_DIRECTORY_TIMEOUT).
    type: int
    default: 30
"""
