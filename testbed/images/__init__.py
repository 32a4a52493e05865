"""Images of test hosts: made by mmdebstrap from the machine's own package sources, imported into podman."""
