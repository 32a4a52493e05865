# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups: restic, pgBackRest, and whether what they hold is healthy."""
