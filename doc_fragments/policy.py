# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that lookups of the register share."""


class ModuleDocFragment:
    """The register's folder, and the policy by which is decided."""

    DOCUMENTATION = r"""
options:
  _terms:
    description: The register's folder.
    required: true
  research_groups:
    description: As in C(group_vars/all/facility.yml) of the example inventory; so are the others.
    type: list
    elements: dict
    required: true
  instruments:
    description: The instruments, with what they demand.
    type: list
    elements: dict
    required: true
  time_zone:
    description: The facility's time zone.
    type: str
    required: true
  requirements:
    description: What can be demanded of people.
    type: list
    elements: dict
    default: []
  door_demands:
    description: What the wiki, the share and OMERO demand.
    type: dict
    default: {}
  biosafety_demands:
    description: What work of a biosafety level demands.
    type: dict
    default: {}
"""
