# SPDX-License-Identifier: GPL-3.0-or-later
"""Device PCs: WinRM, and what is read and written through it."""
