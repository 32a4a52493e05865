# SPDX-License-Identifier: GPL-3.0-or-later
"""The thinking of the facility's Ansible modules: pure cores and ports, importable without Ansible."""
