# SPDX-License-Identifier: GPL-3.0-or-later
"""Measurements against limits: every figure stands beside a baseline of the same run on the same machine."""
