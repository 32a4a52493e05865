# SPDX-License-Identifier: GPL-3.0-or-later
"""A Windows PC as its manager meets it over WinRM: Wine, a WS-Management endpoint and a task scheduler."""
