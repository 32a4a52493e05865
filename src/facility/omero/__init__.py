# SPDX-License-Identifier: GPL-3.0-or-later
"""OMERO: its connection, people, files, imports and configuration."""
