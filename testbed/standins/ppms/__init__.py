# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in of PPMS, and how it comes onto a host."""
