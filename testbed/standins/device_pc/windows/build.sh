#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Compile the Windows programs of the stand-in: build.sh SOURCE TARGET. Needs gcc-mingw-w64-x86-64-win32.
set -eu
source=$1 target=$2
mkdir -p "$target"
compile() { x86_64-w64-mingw32-gcc -O2 -Wall -Werror -municode -s "$@"; }
compile -o "$target/run_line.exe" "$source/run_line.c"
for tool in certutil find findstr icacls schtasks timeout; do
    x86_64-w64-mingw32-gcc -O2 -Wall -Werror -s "-DTOOL=L\"$tool\"" -o "$target/$tool.exe" "$source/tool.c" -lws2_32
done
for host in cscript wscript; do
    compile "-DHOST=L\"$host\"" -o "$target/$host.exe" "$source/script_host.c"
done
