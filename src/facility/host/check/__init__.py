# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's daily check: what ends or fills, what waits to be updated, and whether the clock is right.

Each day it writes figures, and fails with one line a problem, so that somebody is told while there is time: nothing
ends by surprise. ends.py is pure; observe.py asks ports, files and apt.
"""
