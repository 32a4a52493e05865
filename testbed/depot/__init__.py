# SPDX-License-Identifier: GPL-3.0-or-later
"""The test bed's depot: a host that serves what no registry carries, as a site's own mirror would."""
