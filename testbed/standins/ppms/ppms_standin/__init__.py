# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in of PPMS for tests: the time tracker and PUMAPI, with the odd answers that clients have met."""
