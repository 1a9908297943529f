#!/usr/bin/env bash
# Turns a fresh set of namespaces into a host: own root (an overlay over this machine's), processes, name and
# network, with sshd as process 1. Usage: host.sh FOLDER NAME ADDRESS, inside `unshare` and `ip netns exec`.
set -euo pipefail
folder=$1 name=$2 address=$3

# What the host writes stays in memory, and goes with it.
mount -t tmpfs tmpfs "$folder"
mkdir -p "$folder"/{written,scratch,root}
root=$folder/root
mount -t overlay overlay -o lowerdir=/,upperdir="$folder/written",workdir="$folder/scratch" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o size=1G tmpfs "$root/dev/shm"
mount -t tmpfs tmpfs "$root/run"
rm -rf "$root/tmp/ray" "$root/root/.ray" "$root/root/.ssh"
mkdir -p "$root"/{run/sshd,tmp/ray,root/.ssh}
hostname "$name"

cp /proc/self/fd/3 "$root/root/.ssh/authorized_keys"
exec chroot "$root" /usr/sbin/sshd -D -o UsePAM=no -o StrictModes=no -o ListenAddress="$address"
