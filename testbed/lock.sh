#!/bin/bash
# Resolve pyproject.toml into exact versions with hashes, naming no registry. uv is used for this alone.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python -m venv "$scratch/uv"
"$scratch/uv/bin/pip" install --quiet uv==0.13.9
"$scratch/uv/bin/uv" pip compile --quiet pyproject.toml --group test --generate-hashes --python-version 3.11 \
  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -o requirements.lock
