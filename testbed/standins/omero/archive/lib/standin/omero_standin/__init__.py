# SPDX-License-Identifier: GPL-3.0-or-later
"""OMERO.blitz as far as omero-py, OMERO.web and OMERO.dropbox need it: log-in, people, groups, images, queries."""
