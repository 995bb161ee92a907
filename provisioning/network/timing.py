"""How long is waited for what, in seconds, and why. Pure."""

from types import MappingProxyType
from typing import Final

from provisioning.network.terms import Timer

# NetworkManager goes back by itself when this program dies in the middle of a try.
ROLLBACK_S: Final = 60
# DHCP's own patience, as long as a slow router takes to wake up; the profile says it.
DHCP_S: Final = 30

SECONDS: Final = MappingProxyType(
    {
        # A cable's link and its address take a few seconds after power-on.
        Timer.CABLE: 12.0,
        # Association and DHCP, with a little left before the rollback.
        Timer.JOIN: 55.0,
        # An access point that changes its channel is back within this: nobody needs to hear of it.
        Timer.GRACE: 8.0,
        # NetworkManager itself looks every two minutes in the end. Nothing else needs the radio
        # meanwhile, and a look takes about three seconds.
        Timer.LOOK: 4.0,
        # All channels of both bands, those without leave to send included, take about six.
        Timer.SCAN: 12.0,
        # An access point that is not up by then never comes up.
        Timer.RAISE: 30.0,
        # Long enough to find glasses and the router's label, short enough not to be found.
        Timer.WINDOW: 900.0,
        # A restart of NetworkManager takes two seconds on a small Pi.
        Timer.MANAGER: 30.0,
    }
)
# Between tries of the boot file's network; what does not work for an hour is not in a hurry.
RETRIES_S: Final = (15.0, 30.0, 60.0, 120.0, 300.0)
