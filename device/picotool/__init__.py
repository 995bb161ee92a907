"""``stagebox panel``: the firmware of the panel on a USB cable, and what is plugged in."""
