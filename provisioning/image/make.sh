#!/bin/sh
# Makes an image for a memory card: Debian for the Raspberry Pi with a box in it, a system that
# is never written to, and a partition for what must last.
#
#   sudo provisioning/image/make.sh --debs dist --out stagebox.img
#
# --debs DIR          stagebox_*.deb and stagebox-box_*.deb of this architecture
# --out FILE          the image
# --tree DIR          only the system, as a folder: to look at
# --architecture A    arm64 (default), or amd64 for a look on a PC: without kernel and firmware
# --suite S           bookworm (default)
#
# Stock tools: mmdebstrap, e2fsprogs, dosfstools, mtools, fdisk; for arm64 on a PC
# qemu-user-static, binfmt-support and arch-test besides. Nothing is mounted.
set -eu
umask 022

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
files=$here/files
architecture=arm64
suite=bookworm
mirror=${MIRROR:-http://deb.debian.org/debian}
debs='' out='' tree=''
# Sizes in MiB. The system has some 1200; the data partition grows on its first start.
BOOT=256
SYSTEM=2560
DATA=512

die() {
    echo "image: $*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || die "what is $1 to be?"
    case $1 in
    --debs) debs=$2 ;;
    --out) out=$2 ;;
    --tree) tree=$2 ;;
    --architecture) architecture=$2 ;;
    --suite) suite=$2 ;;
    *) die "there is no $1; the head of this script says what there is." ;;
    esac
    shift 2
done
[ -n "$debs" ] || die "--debs says where the packages lie."
[ -n "$out$tree" ] || die "--out says where the image goes, --tree where its system goes."
[ "$(id -u)" -eq 0 ] || die "files of many users are made: run it with sudo."
for tool in mmdebstrap mke2fs mkfs.vfat mcopy sfdisk; do
    command -v "$tool" >/dev/null || die "$tool is missing; the head of this script names packages."
done
one() { # the only file of that name
    if [ $# -ne 1 ] || [ ! -f "$1" ]; then
        die "there is not exactly one of these: $*"
    fi
    printf '%s\n' "$1"
}
base=$(one "$debs"/stagebox_*_"$architecture".deb)
role=$(one "$debs"/stagebox-box_*_all.deb)

work=$(mktemp -d)
# One file system: a maker that was killed may have left Debian's /proc and /sys mounted.
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 1' HUP INT TERM
root=${tree:-$work/root}
[ ! -e "$root" ] || die "$root is there already."

# --- the system -----------------------------------------------------------------------

packages=systemd-sysv,udev,dbus,systemd-timesyncd,kmod,fdisk,e2fsprogs,dosfstools,cloud-guest-utils
packages=$packages,network-manager,wpasupplicant,wireless-regdb,iw,dnsmasq-base,polkitd,libnss-mdns
packages=$packages,overlayroot,alsa-utils,espeak-ng,ca-certificates,openssl
packages=$packages,python3,libopus0,libportaudio2
if [ "$architecture" = arm64 ]; then
    # busybox: without it the initial RAM disk has no grep, and overlayroot gives up.
    packages=$packages,linux-image-arm64,raspi-firmware,firmware-brcm80211,initramfs-tools,busybox
fi
# No documents, no translations, no password, no SSH server: a box is reached through its hub.
# Our settings for a package lie there before it does, and are kept. The initial RAM disk is made
# once, at the end: each takes a quarter of an hour where the processor is emulated.
# shellcheck disable=SC2016  # $1 is what mmdebstrap gives the hook
INITRD=No mmdebstrap --architectures="$architecture" --variant=minbase \
    --components=main,non-free-firmware --include="$packages" \
    --dpkgopt='force-confold' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --setup-hook="mkdir -p \"\$1/boot/firmware\" \"\$1/etc\"" \
    --essential-hook="cp -r '$files/.' \"\$1/\"" \
    --customize-hook="mkdir \"\$1/debs\" && cp '$base' '$role' \"\$1/debs/\"" \
    --customize-hook='chroot "$1" sh -c "apt-get install -y -qq --no-install-recommends /debs/*.deb"' \
    --customize-hook='rm -r "$1/debs"' \
    --customize-hook="'$here/finish' \"\$1\"" \
    "$suite" "$root" "$mirror"
[ -n "$out" ] || exit 0

# --- the card -------------------------------------------------------------------------

mkdir "$work/empty"
truncate -s "${BOOT}M" "$work/boot"
mkfs.vfat -F 32 -n STAGEBOX "$work/boot" >/dev/null
(cd "$root/boot/firmware" && find . -mindepth 1 -maxdepth 1 -exec mcopy -s -i "$work/boot" {} :: \;)
mv "$root/boot/firmware" "$work/firmware" && mkdir "$root/boot/firmware"
truncate -s "${SYSTEM}M" "$work/system"
mke2fs -q -t ext4 -L stagebox-root -d "$root" "$work/system"
truncate -s "${DATA}M" "$work/data"
mke2fs -q -t ext4 -L stagebox-data -d "$root/data" "$work/data"
truncate -s "$((4 + BOOT + SYSTEM + DATA + 4))M" "$out"
# The first loader of a Pi 3 and a Zero 2 reads no GPT.
sfdisk -q "$out" <<TABLE
label: dos
start=4MiB, size=${BOOT}MiB, type=c, bootable
size=${SYSTEM}MiB, type=83
size=${DATA}MiB, type=83
TABLE
at=4
for part in boot system data; do
    dd if="$work/$part" of="$out" bs=1M seek="$at" conv=notrunc,sparse status=none
    at=$((at + $(stat -c %s "$work/$part") / 1048576))
done
echo "image: $out"
