# SPDX-License-Identifier: GPL-3.0-or-later
"""The backup server's program: judges, retains, checks and drills the backups on the host that keeps them.

The clients only add: what is removed, is removed here. A client that was broken into can lie about the dates in its
snapshots, so the backup server goes by when their files came in, and leaves a repository alone in which something is
wrong.

Each command is one file; config.py and state.py are what they share. An inspection is three: observe.py reads all of it
once, judgement.py is pure, report.py writes. What one repository or database must be like is in backup/health.py and
backup/database_health.py.
"""
