#!/bin/sh
# Installs Stagebox on a stock Raspberry Pi OS Lite (64-bit) or Debian, or takes it away again.
#
#   sudo sh install.sh box            a box; `hub` for a hub, `box hub` for both
#   sudo sh install.sh --uninstall    programs and services go; settings and state stay
#   sudo sh install.sh --purge        settings, state, recordings and keys go as well
#
# The packages, SHA256SUMS and SHA256SUMS.sig lie beside this script, or in --from FOLDER.
# They are installed only if the release key signed them: the one in this script, or --key FILE.
# What is installed already is left alone, so it may be run again.
set -eu

# Whoever makes a release puts the public key here: python -m provisioning.release installer.
RELEASE_KEY='@RELEASE_KEY@'
# Some 260 MiB are installed, and apt unpacks beside what is there.
SPACE_MIB=700

say() { printf 'stagebox: %s\n' "$*"; }

die() {
    printf 'stagebox: %s\n' "$*" >&2
    exit 1
}

usage() {
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$0"
    exit "$1"
}

# --- what this machine is -------------------------------------------------------------

check_machine() {
    [ "$(id -u)" -eq 0 ] || die "this installs packages: run it with sudo."
    command -v dpkg >/dev/null || die "this is no Debian: there is no dpkg."
    architecture=$(dpkg --print-architecture)
    case $architecture in
    arm64 | amd64) ;;
    armhf | armel) die "this system has 32 bits: install the 64-bit Raspberry Pi OS Lite." ;;
    *) die "there are packages for arm64 and amd64, not for $architecture." ;;
    esac
    # shellcheck source=/dev/null
    release=$(. /etc/os-release && printf '%s%s' "$ID" "${VERSION_ID:-}")
    case $release in
    debian[0-9]* | raspbian[0-9]*) ;;
    *) die "this is $release: there are packages for Debian and Raspberry Pi OS." ;;
    esac
    release=deb${release#debian}
}

check_space() {
    free=$(df -Pm /usr | awk 'NR == 2 { print $4 }')
    [ "$free" -ge "$SPACE_MIB" ] ||
        die "there are $free MiB free where programs go, and $SPACE_MIB are needed."
}

# --- what is to be installed ----------------------------------------------------------

# Prints the newest package of a name for this system. $1: name, $2: architecture.
newest() {
    found=
    for file in "$folder/$1"_*~"$release"_"$2".deb; do
        [ -f "$file" ] || continue
        if [ -z "$found" ] || dpkg --compare-versions "$(version "$file")" gt "$(version "$found")"; then
            found=$file
        fi
    done
    [ -n "$found" ] || die "there is no $1 for $release and $2 in $folder."
    printf '%s\n' "$found"
}

version() { dpkg-deb --field "$1" Version; }

check_signature() {
    command -v openssl >/dev/null || die "openssl is missing: sudo apt install openssl"
    if [ -n "$key" ]; then
        cp "$key" "$work/key.pem"
    else
        case $RELEASE_KEY in
        -----BEGIN*) printf '%s\n' "$RELEASE_KEY" >"$work/key.pem" ;;
        *) die "no release key is in this script: give it with --key FILE." ;;
        esac
    fi
    openssl pkeyutl -verify -pubin -inkey "$work/key.pem" -rawin \
        -in "$work/SHA256SUMS" -sigfile "$work/SHA256SUMS.sig" >/dev/null 2>&1 ||
        die "the signature of SHA256SUMS is not by the release key: nothing is installed."
}

# Copies a package to where nobody else writes, and compares it. Prints where it is.
checked() {
    name=$(basename "$1")
    cp "$1" "$work/$name"
    wanted=$(awk -v name="$name" '$2 == name { print $1 }' "$work/SHA256SUMS")
    [ -n "$wanted" ] || die "$name is not in SHA256SUMS."
    is=$(sha256sum "$work/$name" | cut -d ' ' -f 1)
    [ "$is" = "$wanted" ] || die "$name is not the file that was signed."
    printf '%s\n' "$work/$name"
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$1" 2>/dev/null)" = "installed $2" ]
}

install_all() {
    for name in SHA256SUMS SHA256SUMS.sig; do
        [ -f "$folder/$name" ] || die "$name is not in $folder: nothing there can be trusted."
        cp "$folder/$name" "$work/$name"
    done
    check_signature
    base=$(newest stagebox "$architecture")
    files=$(checked "$base")
    missing=
    is_installed stagebox "$(version "$base")" || missing=yes
    for role in $roles; do
        file=$(newest "stagebox-$role" all)
        files="$files $(checked "$file")"
        is_installed "stagebox-$role" "$(version "$file")" || missing=yes
    done
    if [ -z "$missing" ]; then
        say "version $(version "$base") is installed already."
        return 0
    fi
    check_space
    chmod 755 "$work" # apt reads as a user of its own
    # shellcheck disable=SC2086  # file names of ours, without blanks
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $files
    say "installed: $(version "$base") ($roles)"
    say "settings are in /etc/stagebox; see systemctl status stagebox-box or stagebox-hub."
}

uninstall() { # $1: remove or purge
    for name in stagebox-box stagebox-hub stagebox; do
        status=$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) || status=none
        case $status in
        none | not-installed) ;;
        config-files) [ "$1" = remove ] || dpkg --purge "$name" ;;
        *) dpkg "--$1" "$name" ;;
        esac
    done
    say "gone."
    [ "$1" = purge ] || say "settings and state are still there: --purge takes them, too."
}

# --- the command line -----------------------------------------------------------------

roles=
act=install
key=
folder=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
while [ $# -gt 0 ]; do
    case $1 in
    box | hub) case " $roles " in *" $1 "*) ;; *) roles="${roles:+$roles }$1" ;; esac ;;
    --uninstall) act=remove ;;
    --purge) act=purge ;;
    --from)
        [ $# -ge 2 ] || usage 2
        folder=$2
        shift
        ;;
    --key)
        [ $# -ge 2 ] || usage 2
        key=$2
        shift
        ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
    shift
done
if [ "$act" != install ]; then
    [ "$(id -u)" -eq 0 ] || die "this takes packages away: run it with sudo."
    uninstall "$act"
    exit 0
fi
[ -n "$roles" ] || usage 2 >&2
check_machine
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
install_all
