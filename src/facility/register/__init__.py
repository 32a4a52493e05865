# SPDX-License-Identifier: GPL-3.0-or-later
"""The register: facts about people in a database, and the pages on which staff record them."""
