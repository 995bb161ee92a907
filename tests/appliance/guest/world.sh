#!/bin/sh
# The world around a box, before it starts: keys on pins that nobody presses, and an access
# point in the air, behind which lies whatever network the machine's card is plugged into.
#   sh world.sh NETWORK_NAME KEY
set -e

cd /sys/kernel/config/gpio-sim
mkdir panel panel/bank0
echo 54 >panel/bank0/num_lines
echo pinctrl-bcm2711 >panel/bank0/label
echo 1 >panel/live
lines=/sys/devices/platform/$(cat panel/dev_name)/$(cat panel/bank0/chip_name)
for key in 17 27 22; do echo pull-up >"$lines/sim_gpio$key/pull"; done
ln -s "$lines" /run/pins
# gpiozero asks which Raspberry Pi this is; a PC has no answer: a Pi 4.
{ cat /proc/cpuinfo; echo 'Revision : c03115'; } >/run/cpuinfo

iw reg reload
ip netns add ap
iw phy phy1 set netns name ap
ip link set eth0 netns ap
ip -n ap link set lo up
ip -n ap link add br0 type bridge forward_delay 0 mcast_snooping 0
ip -n ap link set eth0 master br0
ip -n ap link set eth0 up
ip -n ap link set br0 up
ip -n ap addr add 192.168.50.2/24 dev br0
radio=$(ip netns exec ap sh -c 'ls /sys/class/net | grep wlan')
cat >/run/hostapd.conf <<AP
interface=$radio
bridge=br0
driver=nl80211
ssid=$1
hw_mode=g
channel=1
wpa=2
wpa_key_mgmt=WPA-PSK
rsn_pairwise=CCMP
wpa_passphrase=$2
AP
ip netns exec ap hostapd -B /run/hostapd.conf >/run/hostapd.log
ip netns exec ap dnsmasq --conf-file=/dev/null --port=0 --bind-interfaces --interface=br0 \
    --dhcp-range=192.168.50.10,192.168.50.99,1h --dhcp-option=3,192.168.50.1 \
    --leasefile-ro --dhcp-authoritative
udevadm settle
