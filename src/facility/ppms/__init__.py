# SPDX-License-Identifier: GPL-3.0-or-later
"""PPMS: its API, and the answers that it gives."""
