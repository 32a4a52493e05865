# SPDX-License-Identifier: GPL-3.0-or-later
"""The facility's thinking and programs, by subject; importable without Ansible."""
