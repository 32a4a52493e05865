#!/bin/bash
# Resolve pyproject.toml into exact versions with hashes, naming no registry: the controller's, and the register's. uv is used for this alone.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python -m venv "$scratch/uv"
"$scratch/uv/bin/pip" install --quiet uv==0.13.9
resolve() {
  "$scratch/uv/bin/uv" pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
    --custom-compile-command "make lock" "$@"
}
resolve pyproject.toml --group test --python-version 3.11 -o requirements.lock
# The register's host has Debian 13, and from there what would have to be compiled: python3-ldap with what it needs.
resolve --group register --python-version 3.13 --no-emit-package python-ldap --no-emit-package pyasn1 \
  --no-emit-package pyasn1-modules -o roles/register/files/requirements.lock
