# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that all modules for PPMS share."""


class ModuleDocFragment:
    """Options of the connection to PPMS."""

    DOCUMENTATION = r"""
options:
  url:
    description: Address of PUMAPI, with the site's name in it.
    type: str
    required: true
  api_key:
    description: A key of PUMAPI.
    type: str
    required: true
  ca_file:
    description: PEM file with the authority of PPMS's certificate; without it the controller's own trust.
    type: path
  proxy:
    description: Proxy on the way to PPMS, like http://proxy.example.org:3128.
    type: str
    default: ""
requirements: [requests]
author: [The facility as code project (@facility-as-code)]
"""
