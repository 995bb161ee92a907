#!/bin/sh
# Builds the packages for the Raspberry Pi (arm64) on a PC: in a Debian of that kind, whose
# programs this computer emulates. Half an hour on two cores.
#
#   sudo provisioning/package/arm64.sh --out dist
#
# --out DIR           where stagebox_*_arm64.deb and the packages of the roles go
# --suite S           bookworm (default)
#
# What is built is the last commit. Needs mmdebstrap, git, qemu-user-static, binfmt-support and
# arch-test.
set -eu
umask 022

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
suite=bookworm
mirror=${MIRROR:-http://deb.debian.org/debian}
out=''

die() {
    echo "arm64: $*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || die "what is $1 to be?"
    case $1 in
    --out) out=$2 ;;
    --suite) suite=$2 ;;
    *) die "there is no $1; the head of this script says what there is." ;;
    esac
    shift 2
done
[ -n "$out" ] || die "--out says where the packages go."
[ "$(id -u)" -eq 0 ] || die "a Debian of its own is made: run it with sudo."
for tool in mmdebstrap git update-binfmts arch-test; do
    command -v "$tool" >/dev/null || die "$tool is missing; the head of this script names packages."
done

# Without systemd nobody has mounted what tells the kernel who runs the programs of others.
if ! arch-test arm64 >/dev/null; then
    mountpoint -q /proc/sys/fs/binfmt_misc ||
        mount -t binfmt_misc none /proc/sys/fs/binfmt_misc || true
    update-binfmts --enable qemu-aarch64 || true
    arch-test arm64 >/dev/null ||
        die "this computer runs no programs for arm64; apt install qemu-user-static binfmt-support."
fi

work=$(mktemp -d)
tree=$work/tree
cleanup() {
    umount "$tree/proc" 2>/dev/null || true
    # A folder of the kernel's below is not to be deleted.
    mountpoint -q "$tree/proc" || rm -rf --one-file-system "$work"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

packages=python3,python3-venv,python3-dev,gcc,libc6-dev,portaudio19-dev,git,ca-certificates,xz-utils
mmdebstrap --architectures=arm64 --variant=minbase --include="$packages" "$suite" "$tree" "$mirror"
# It asks for Python packages as this computer does: its name servers, and whom it trusts.
cp /etc/resolv.conf "$tree/etc/resolv.conf"
cp /etc/ssl/certs/ca-certificates.crt "$tree/etc/ssl/certs/ca-certificates.crt"
git clone -q "$root" "$tree/src"
mount -t proc proc "$tree/proc"
# A folder with wheels of this computer's is not there, and they would be of the wrong kind.
chroot "$tree" env -u PIP_FIND_LINKS sh -c \
    'cd /src && python3 -m provisioning.package.build --out /src/dist'
mkdir -p "$out"
cp "$tree"/src/dist/*.deb "$out/"
ls -l "$out"/*.deb
