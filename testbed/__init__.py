# SPDX-License-Identifier: GPL-3.0-or-later
"""The test bed: systemd hosts on this machine, without a container registry, and the programs that run them."""
