#!/bin/sh
# Inside a Debian 12 container: compile the programs that omero-py starts. build_java.sh SOURCE TARGET
#   SOURCE  this folder
#   TARGET  gets standin.jar
set -eu
source=$1 target=$2
export DEBIAN_FRONTEND=noninteractive
# A system without documentation folders makes Java's package stumble.
mkdir -p /usr/share/man/man1 "$target"
apt-get -qq update
apt-get -qq -y --no-install-recommends install openjdk-17-jdk-headless >/dev/null

javac -d /tmp/classes "$source"/java/*.java
jar --create --date=2023-11-14T00:00:00Z --file "$target/standin.jar" -C /tmp/classes ome
