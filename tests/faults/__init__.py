# SPDX-License-Identifier: GPL-3.0-or-later
"""settle under random faults: actors that are killed at any moment, and a checker that finds every file afterwards."""
