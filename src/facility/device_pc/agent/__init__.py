# SPDX-License-Identifier: GPL-3.0-or-later
"""The PPMS agent on device PCs: what is wanted, what is there, and whether it is healthy."""
