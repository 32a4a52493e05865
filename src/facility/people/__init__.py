# SPDX-License-Identifier: GPL-3.0-or-later
"""The register of people, groups and instruments."""
