# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages, a file for each kind."""
