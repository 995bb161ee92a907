#!/bin/sh
# Typed into a card's initial RAM disk, where /root is the system with memory above it: an agent
# for the test, keys that nobody presses, a card of the kernel's for both ways of sound, and times
# for an emulated processor. Nothing of it is written to the card.
system=/root/etc/systemd/system
place=/root/opt/look
mkdir -p $place "$system/multi-user.target.wants"
echo 'LABEL=stagebox-test /opt/look ext4 ro,nofail 0 0' >>/root/etc/fstab

cat >"$system/agent.service" <<UNIT
[Unit]
After=multi-user.target
RequiresMountsFor=/opt/look
[Service]
Environment=PYTHONPATH=/opt/look PYTHONDONTWRITEBYTECODE=1
ExecStart=/usr/bin/python3 -m tests.appliance.guest.agent
UNIT
ln -s ../agent.service "$system/multi-user.target.wants/agent.service"

cat >"$system/pins.service" <<UNIT
[Unit]
Before=stagebox-provision.service stagebox-box.service
ConditionPathIsDirectory=/sys/devices/platform/gpio-sim
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'cd /sys/devices/platform/gpio-sim/gpiochip0; for key in 17 27 22; do echo pull-up >sim_gpio\$\$key/pull; done; ln -s \$\$PWD /run/pins'
UNIT
ln -s ../pins.service "$system/multi-user.target.wants/pins.service"

for unit in stagebox-box stagebox-provision stagebox-bootfile stagebox-grow; do
    mkdir -p "$system/$unit.service.d"
    printf '[Service]\nTimeoutStartSec=600\n' >"$system/$unit.service.d/look.conf"
done
for unit in stagebox-box stagebox-provision; do
    printf 'WatchdogSec=240\n' >>"$system/$unit.service.d/look.conf"
done
if [ -d /look/given/prompts ]; then
    cat >/root/etc/stagebox/box.toml <<TOML
[sound]
microphone = "(hw:0,0)"
loudspeaker = "(hw:0,0)"
prompts = "/opt/look/given/prompts"
TOML
fi
echo laid
