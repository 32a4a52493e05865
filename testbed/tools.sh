#!/bin/bash
# Install the Debian packages that the test bed, the tests and the libraries need; say nothing when all are there.
set -euo pipefail
packages=(
  # hosts without a registry
  podman runc netavark aardvark-dns conmon catatonit iptables nftables iproute2 mmdebstrap uidmap fuse-overlayfs
  openssh-client
  # msgfmt, for the German pages of the register
  gettext
  # Python and what python-ldap and gssapi are built with
  python3-venv python3-dev build-essential libldap2-dev libsasl2-dev libkrb5-dev
  # clients that tests use as a person would
  ldap-utils libnss3-tools smbclient chromium chromium-driver curl openssl git nmap sslscan
)
# One look at the database of packages: a second run must cost nothing.
missing=$(comm -23 <(printf '%s\n' "${packages[@]}" | sort -u) \
  <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' | awk '$2 == "installed" {print $1}' | sort -u))
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
  echo "Not installed: ${missing//$'\n'/ }" >&2
  echo "Run as root, or install them first: sudo apt-get install ${missing//$'\n'/ }" >&2
  exit 1
fi
if ! grep -qE '^ID=debian' /etc/os-release; then
  echo "The test bed runs on Debian 12 or newer; this is $(. /etc/os-release; echo "$PRETTY_NAME")" >&2
  exit 1
fi
echo "Installing Debian packages: ${missing//$'\n'/ }"
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # one word a package
if ! { apt-get update && apt-get -y --no-install-recommends install $missing; } > "$log" 2>&1; then
  cat "$log" >&2
  echo "apt-get failed; its messages are above. To repeat just this step: make tools" >&2
  exit 1
fi
rm -f "$log"
