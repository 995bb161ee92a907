#!/bin/sh
# Makes the kernel that `./dev appliance` starts, from Debian's own source: one with simulated
# GPIO lines, which Debian's kernels do not have.
#
#   tests/appliance/kernel/make.sh OUT            all that the tests need; from 12 minutes on two cores
#   tests/appliance/kernel/make.sh OUT --arm64    for a Raspberry Pi's processor
#
# OUT is a folder; STAGEBOX_VIRTUAL_PI names it. From linux-source-6.x (the newest that is
# installed), with gcc, make, flex, bison, bc and libelf-dev; --arm64: gcc-aarch64-linux-gnu.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out='' kind=whole

die() {
    echo "kernel: $*" >&2
    exit 1
}

for word in "$@"; do
    case $word in
    --whole) kind=whole ;;
    --arm64) kind=arm64 ;;
    -*) die "there is no $word; the head of this script says what there is." ;;
    *) out=$word ;;
    esac
done
[ -n "$out" ] || die "where is it to go?"
source=$(find /usr/src -maxdepth 1 -name 'linux-source-6.*.tar.xz' | sort -V | tail -n 1)
[ -n "$source" ] || die "no source; apt install linux-source-6.1 (or a newer one)."
mkdir -p "$out"
out=$(CDPATH='' cd -- "$out" && pwd)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
tar -xf "$source" -C "$work" --strip-components=1 --exclude='*/Documentation/*.rst' --exclude='*/tools/testing'
cd "$work"

case $kind in
whole)
    set -- defconfig kvm_guest.config
    fragment=kernel.config image=bzImage target=bzImage-x86_64
    built=arch/x86/boot/bzImage
    ;;
arm64)
    export ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-
    set -- defconfig kvm_guest.config
    fragment=kernel.config image=Image.gz target=Image.gz-arm64
    built=arch/arm64/boot/Image.gz
    ;;
esac
make -s "$@" >/dev/null
scripts/kconfig/merge_config.sh -m .config "$here/$fragment" >/dev/null
make -s olddefconfig
# A word that this source does not know, or knows otherwise, is said and not fatal: 6.1 to 6.12
# differ; what a test needs and is not there, that test says.
grep '=[ym]$' "$here/$fragment" | while read -r word; do
    grep -qx "$word" .config || echo "kernel: without $word" >&2
done
make -s -j"$(nproc)" "$image"
cp "$built" "$out/$target.part"
mv "$out/$target.part" "$out/$target"
echo "kernel: $out/$target"
