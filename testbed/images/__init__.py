# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of test hosts: made by mmdebstrap from the machine's own package sources, imported into podman."""
