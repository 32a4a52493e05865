# SPDX-License-Identifier: GPL-3.0-or-later
"""The host driver: beds of systemd hosts with static addresses and names, brought up and down again."""
