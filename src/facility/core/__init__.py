# SPDX-License-Identifier: GPL-3.0-or-later
"""What every subject may use: plans of changes, settings, programs and their installation."""
