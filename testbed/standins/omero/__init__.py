# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for OMERO.server: an archive of the same layout, for real omero-py, OMERO.web and OMERO.dropbox."""
