# SPDX-License-Identifier: GPL-3.0-or-later
"""The backup server's program: judges, retains, checks and drills the backups on the host that keeps them.

The clients only add: what is removed, is removed here. A client that was broken into can lie about the dates in its
snapshots, so the backup server goes by when their files came in, and leaves a repository alone in which something is
wrong.

Each command is one file; config.py and state.py are what they share. Deciding is done in facility.backup.health.
"""
