#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Build what a stand-in PC needs beside Wine into /usr/local/lib/device-pc/wine. Runs as root in the image's root, once;
# needs gcc-mingw-w64-x86-64-win32, which may be removed afterwards.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
target=${1:-/usr/local/lib/device-pc/wine}

mkdir -p "$target"
for library in wmi adsi; do
    x86_64-w64-mingw32-gcc -std=gnu11 -O2 -Wall -Wextra -Werror -shared -s -o "$target/device-pc-$library.dll" \
        "$here/$library.c" "$here/$library.def" -lole32 -loleaut32 -luuid -ladvapi32 -lws2_32
done
[ "$here" = "$target" ] || install -m 755 "$here/run" "$target/run"
