# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells somebody of services that restart again and again, or have given up: systemd itself goes on in silence."""
