# SPDX-License-Identifier: GPL-3.0-or-later
"""Active Directory: its port, and plans for accounts, groups, units, policies and names."""
