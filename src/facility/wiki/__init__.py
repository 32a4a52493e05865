# SPDX-License-Identifier: GPL-3.0-or-later
"""The wiki: pages of DokuWiki."""
