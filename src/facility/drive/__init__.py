# SPDX-License-Identifier: GPL-3.0-or-later
"""The drive whose folders end in OMERO: folders of people, and the status of settle."""
