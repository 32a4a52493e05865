#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Make the PC in the image's root: prepare.sh SOURCE BINARIES. Runs as root, once, with Debian's packages installed.
set -eu
source=$1 binaries=$2
lib=/usr/local/lib/device-pc
state=/var/lib/device-pc

# Code page 65001 is Hindi's (see device_pc_standin/wine.py); the messages are German.
printf '%s\n' 'de_DE.UTF-8 UTF-8' 'hi_IN UTF-8' >/etc/locale.gen
locale-gen >/dev/null 2>&1
useradd --system --create-home --shell /usr/sbin/nologin local-service
useradd --system --create-home --shell /usr/sbin/nologin console-user

mkdir -p "$lib/bin" "$lib/wine" "$state"
cp "$binaries"/wine/* "$lib/wine/"
cp "$binaries/run_line.exe" "$lib/bin/"
cp "$source/environment" "$lib/"
install -m 755 "$source/device-pc" /usr/local/bin/device-pc
cp "$source"/units/* /etc/systemd/system/
echo 'd /run/device-pc/jobs 0711 root root' >/etc/tmpfiles.d/device-pc.conf
systemctl --quiet enable device-pc-wineserver@root.service device-pc-wineserver@local-service.service \
    device-pc-winrm.service device-pc-scheduler.service

set -a
. "$lib/environment"
set +a
export XDG_RUNTIME_DIR=/tmp
# The first program makes the prefix.
WINEPREFIX="$state/prefix" "$lib/wine/run" -- cmd.exe /c ver >/dev/null
drive="$state/prefix/drive_c"
system="$drive/windows/system32"
wine=/usr/lib/x86_64-linux-gnu/wine/x86_64-windows
# Ours starts it. It looks for its type library in wscript.exe, first in its own folder.
mkdir "$system/wsh"
for host in cscript wscript; do
    cp "$wine/$host.exe" "$system/wsh/wine-$host.exe"
done
cp "$wine/wscript.exe" "$system/wsh/"
for tool in certutil cscript find findstr icacls schtasks timeout wscript; do
    # Wine's program of this name, if any, does nothing and reports success, or knows half of the switches.
    rm -f "$system/$tool.exe"
    cp "$binaries/$tool.exe" "$system/"
    WINEPREFIX="$state/prefix" "$lib/wine/run" -- \
        reg.exe add 'HKCU\Software\Wine\DllOverrides' /v "$tool.exe" /d native /f >/dev/null
done
WINEPREFIX="$state/prefix" wineserver --kill || true
WINEPREFIX="$state/prefix" wineserver --wait
# Wine's files are in the image already: links to them are as good as copies, and 700 MB smaller.
for file in "$system"/*; do
    original=$wine/${file##*/}
    if [ -f "$original" ] && cmp --quiet "$file" "$original"; then
        ln -sf "$original" "$file"
    fi
done

# Wine wants a prefix for each Unix account; all have the same drive C:.
ln -s prefix "$state/root"
for account in local-service console-user; do
    mkdir "$state/$account" "$state/$account/dosdevices"
    ln -s ../../prefix/drive_c "$state/$account/dosdevices/c:"
    ln -s / "$state/$account/dosdevices/z:"
    cp -p "$state/prefix"/*.reg "$state/prefix/.update-timestamp" "$state/prefix"/device-pc-* "$state/$account/"
    sed -i "s/\\\\users\\\\root/\\\\users\\\\$account/g; s/\\\\\\\\users\\\\\\\\root/\\\\\\\\users\\\\\\\\$account/g" "$state/$account/user.reg"
    chown -R "$account:" "$state/$account"
    mkdir -p "$drive/users/$account/AppData/Local/Temp" "$drive/users/$account/AppData/Roaming"
    chown -R "$account:" "$drive/users/$account"
    chmod 700 "$drive/users/$account"
done
chmod 1777 "$drive/windows/temp"
# Nobody sits there. Without the file WMI would be broken.
: >"$state/console"
rm -rf /tmp/.wine-* /tmp/wine* /run/device-pc
