# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks the real protocol in place of what cannot be had here: OMERO's server, PPMS, Windows."""
