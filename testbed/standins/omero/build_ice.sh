#!/bin/sh
# Inside a Debian 12 container: make Ice as OMERO.server and its clients need it. build_ice.sh SOURCE TARGET
#   SOURCE  this folder and build-ice-wheel
#   TARGET  gets ice-….tar.gz and the zeroc-ice wheel
set -eu
source=$1 target=$2
export DEBIAN_FRONTEND=noninteractive
mkdir -p "$target"
apt-get -qq update
apt-get -qq -y --no-install-recommends install build-essential libbz2-dev libssl-dev python3-dev python3-venv \
	zeroc-glacier2 zeroc-ice-utils zeroc-icebox zeroc-icegrid libzeroc-icestorm3.7 >/dev/null

"$source/build-ice-wheel" "$target" >/tmp/wheel.log 2>&1 &
wheel=$!

ice=/tmp/ice-3.6.5-standin
mkdir -p "$ice/bin" "$ice/lib" "$ice/libexec"
for program in glacier2router icebox icegridadmin icegridnode icegridregistry; do
	cp "$source/ice/wrapper" "$ice/bin/$program"
	cp "/usr/bin/$program" "$ice/libexec/"
done
ldd "$ice"/libexec/* | awk '/=> \//{print $3}' | sort -u |
	grep -E '/lib(Ice|Glacier2|lmdb|mcpp|edit|bsd|md|bz2|expat|Slice)[^/]*$' | xargs cp --target-directory "$ice/lib"
# Loaded by name when a program is configured to use them.
cp /usr/lib/*/libIceSSL.so.37 /usr/lib/*/libIceStormService.so.37 "$ice/lib/"
tar --create --gzip --sort=name --owner=0 --group=0 --mtime=@1700000000 --file "$target/ice-3.6.5-standin.tar.gz" \
	--directory /tmp ice-3.6.5-standin

wait "$wheel" || { cat /tmp/wheel.log >&2; exit 1; }
