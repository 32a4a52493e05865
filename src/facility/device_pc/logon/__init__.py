# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may log on at an instrument's PC: the members of its local group Users."""
