# SPDX-License-Identifier: GPL-3.0-or-later
"""The backup client's program, a host's nightly run: dumps, owners of files, a sample, and all of it into a repository.

In the state folder, which is part of every backup:

``dumps/<step>/``      what a step before the files wrote, as a whole; of the night before where a step failed.
``identities.json``    {"version": 1, "users": {name: {"uid", "gid", "home", "shell", "groups"}}, "groups": {name: gid}}
                       so that a new host can give the files' owners the same numbers.
``sample.json``        checksums of some files, so that the backup host can compare what it gets back; see sample.py.
``last-run.json``      how the last run went; see run.py. The metrics say the same.
"""
