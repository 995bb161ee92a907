#!/bin/sh
# Makes a kernel for the quick part of `./dev appliance` within a minute: Debian's own, with the
# two drivers that it lacks, which simulate GPIO lines and a USB line.
#
#   tests/appliance/kernel/debian.sh OUT
#
# OUT gets bzImage-x86_64 and initrd-x86_64; STAGEBOX_VIRTUAL_PI names it. The drivers are compiled
# as modules from Debian's source of the same kernel. Networks and radios are not loaded: they are
# for the kernel that make.sh makes, which has them built in.
# Needs linux-headers-amd64, linux-source, gcc, make, kmod and cpio.
set -eu

# Loaded by the initial RAM disk in this order, each with what it needs.
MODULES="virtio_pci virtio_blk virtio_console ext4 configfs snd-aloop hid-generic hid-jabra hid-plantronics uhid evdev
    usb_f_acm cdc-acm"

die() {
    echo "kernel: $*" >&2
    exit 1
}

[ $# -eq 1 ] || die "where is it to go?"
mkdir -p "$1"
out=$(CDPATH='' cd -- "$1" && pwd)
for tool in apt-get make gcc depmod cpio; do
    command -v "$tool" >/dev/null || die "$tool is missing; the head of this script names packages."
done
headers=$(find /usr/src -maxdepth 1 -name 'linux-headers-*-amd64' | sort -V | tail -n 1)
[ -n "$headers" ] || die "no headers; apt install linux-headers-amd64."
version=${headers#/usr/src/linux-headers-}
source=$(find /usr/src -maxdepth 1 -name 'linux-source-6.*.tar.xz' | sort -V | tail -n 1)
[ -n "$source" ] || die "no source; apt install linux-source."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"

# --- the drivers ----------------------------------------------------------------------

name=$(basename "$source" .tar.xz)
mkdir driver
tar -xf "$source" -C driver --occurrence=1 "$name/drivers/gpio/gpio-sim.c" \
    "$name/drivers/gpio/gpiolib.h" "$name/kernel/irq/irq_sim.c" \
    "$name/drivers/usb/gadget/udc/dummy_hcd.c"
cd driver
find . -type f -exec mv {} . \;
# The interrupts of the pins are simulated by a part that Debian's kernel has not, either, and that
# calls something which modules may not: this does the same for them.
sed -i 's/handle_simple_irq(irq_to_desc(\(.*\)));/generic_handle_irq(\1);/' irq_sim.c
printf 'obj-m := gpio-simulator.o dummy_hcd.o\ngpio-simulator-y := gpio-sim.o irq_sim.o\n' >Makefile
make -s -C "$headers" M="$PWD" modules 2>make.log || {
    tail -n 20 make.log >&2
    die "the drivers cannot be compiled for $version."
}
strip --strip-debug ./*.ko
cd ..

# --- Debian's kernel, and what is loaded before its system ------------------------------

apt-get -o APT::Sandbox::User=root download -qq "linux-image-$version" busybox-static ||
    die "Debian's kernel $version cannot be fetched."
for package in ./*.deb; do
    dpkg -x "$package" image
done
depmod -b image "$version"
mkdir -p initrd/bin initrd/modules initrd/dev initrd/proc initrd/root
cp image/bin/busybox initrd/bin/busybox
for module in $MODULES; do
    modprobe -d image -S "$version" --show-depends "$module"
done | while read -r kind path _; do
    [ "$kind" = insmod ] || continue # or it is built in
    file=$(basename "$path")
    grep -qx "${file%.xz}" initrd/order 2>/dev/null && continue
    case $file in
    *.xz) xz -dc "$path" >"initrd/modules/${file%.xz}" ;;
    *) cp "$path" initrd/modules/ ;;
    esac
    echo "${file%.xz}" >>initrd/order
done
cp driver/gpio-simulator.ko driver/dummy_hcd.ko initrd/modules/
printf 'gpio-simulator.ko\ndummy_hcd.ko\n' >>initrd/order
cat >initrd/init <<'INIT'
#!/bin/busybox sh
busybox mount -t devtmpfs dev /dev
busybox mount -t proc proc /proc
while read -r module; do
    busybox insmod "/modules/$module"
done </order
for word in $(busybox cat /proc/cmdline); do
    case $word in root=*) root=${word#root=} ;; esac
done
until [ -b "$root" ]; do busybox sleep 0.1; done
busybox mount -t ext4 "$root" /root
busybox mount --move /dev /root/dev
busybox umount /proc
exec busybox switch_root /root /sbin/init
INIT
chmod +x initrd/init
(cd initrd && find . | cpio --quiet -o -H newc | gzip -1) >"$out/initrd.part"
cp "image/boot/vmlinuz-$version" "$out/kernel.part"
mv "$out/initrd.part" "$out/initrd-x86_64"
mv "$out/kernel.part" "$out/bzImage-x86_64"
echo "kernel: $version in $out"
