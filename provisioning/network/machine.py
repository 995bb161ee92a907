"""What a box does about its network: one machine behind the file, the cable and the hotspot.

The table says which events count in which phase. No network that was lost ever opens a
hotspot: that happens only on a box that was never set up, or when somebody asks. Pure.
"""

from dataclasses import replace

from provisioning.network import terms as t
from provisioning.network.table import ALWAYS, STEPS, TABLE, TELLING, kind_of
from provisioning.network.terms import Cause, Effect, Event, Phase, Tell, Timer, Window
from provisioning.network.timing import RETRIES_S, SECONDS
from provisioning.network.wifi import Seen
from stagebox.netstate import NetworkStep


class Machine:
    """One box's network. Feed it events; do the effects in their order."""

    def __init__(self, hotspot: str) -> None:
        """``hotspot``: what the set-up network is called."""
        self.phase = Phase.START
        self._hotspot = hotspot
        self._told: tuple[NetworkStep, str] | None = None
        self._profile: str | None = None
        self._country: str | None = None
        self._has_radio = False
        self._is_wired = False
        self._target: t.Target | None = None
        self._window: Window | None = None
        self._tries = 0

    def feed(self, event: Event) -> list[Effect]:
        """Take an event; return what is to be done: nothing where it does not count."""
        if isinstance(event, t.Wired):
            self._is_wired = event.is_up
        kind = kind_of(event)
        act = ALWAYS.get(kind) or TABLE.get((self.phase, kind))
        effects: list[Effect] = [] if act is None else getattr(self, act)(event)
        return effects

    # --- starts -----------------------------------------------------------------------

    def on_started(self, event: t.Started) -> list[Effect]:
        left = self._leave()
        self._has_radio, self._profile = event.has_radio, event.profile
        self._is_wired, self._country = event.is_wired, event.country
        self._told, self._tries = None, 0
        country = [t.SetCountry(event.country)] if event.country else []
        return [*left, *country, *self._begin(event)]

    def _begin(self, event: t.Started) -> list[Effect]:
        if isinstance(event.file, t.FileFault):
            return [*self._tell_fault(event.file), *self._rest(event.online)]
        if event.file is not None and self._has_radio:
            return self._try(event.file)
        if self._profile is None and self._has_radio and not self._is_wired:
            self.phase = Phase.LISTENING
            return [t.Arm(Timer.CABLE, SECONDS[Timer.CABLE])]
        return self._rest(event.online)

    def on_nobody(self, event: t.Expired) -> list[Effect]:
        """Open the hotspot of a box that was never set up and has no cable."""
        return self._scan(Window(event.key, was_asked=False))

    def on_file(self, event: t.FileChanged) -> list[Effect]:
        if isinstance(event.file, t.FileFault):
            return self._tell_fault(event.file)
        self._tries = 0
        return [*self._leave(), *self._try(event.file)] if self._has_radio else []

    def _tell_fault(self, fault: t.FileFault) -> list[Effect]:
        return self._tell(NetworkStep.BAD_FILE, fault.key, fault.line)

    # --- a try ------------------------------------------------------------------------

    def _try(self, target: t.Target) -> list[Effect]:
        country = target.country or self._country
        if country is None:
            return [*self._tell(NetworkStep.NO_COUNTRY), *self._rest(None)]
        self._target = replace(target, country=country)
        told = self._tell(NetworkStep.JOINING, target.wifi.ssid) if self._tries == 0 else []
        join = [t.SetCountry(country), t.Join(target.wifi), t.Arm(Timer.JOIN, SECONDS[Timer.JOIN])]
        self.phase = Phase.JOINING
        return [*told, *join]

    def on_joined(self, event: t.Up) -> list[Effect]:
        target = self._aim
        if event.profile != t.PROFILE or event.ssid != target.wifi.ssid:
            return []
        if event.has_gateway or target.hub is None:
            return self._succeed()
        self.phase = Phase.PROBING
        return [t.Probe(target.hub)]

    def on_probed(self, event: t.Probed) -> list[Effect]:
        return self._succeed() if event.is_there else self._fail(Cause.NO_ROUTE)

    def on_failed(self, event: t.Down) -> list[Effect]:
        # What is gone may be the network that was left for this one.
        is_before = event.cause is Cause.GONE and self.phase is Phase.JOINING
        return [] if is_before else self._fail(event.cause)

    def on_silence(self, _event: t.Expired) -> list[Effect]:
        return self._fail(Cause.FAILED)

    def _succeed(self) -> list[Effect]:
        target, self._window = self._aim, None
        self._profile, self._country = target.wifi.ssid, target.country
        ended = [t.Disarm(Timer.JOIN), t.Disarm(Timer.WINDOW), t.Keep()]
        scrub = [t.Scrub()] if target.from_file else []
        told = self._tell(NetworkStep.JOINED, target.wifi.ssid)
        self.phase = Phase.ONLINE
        return [*ended, *scrub, *told]

    def _fail(self, cause: Cause) -> list[Effect]:
        target = self._aim
        undone = [t.Disarm(Timer.JOIN), t.Undo(), *self._tell(STEPS[cause], target.wifi.ssid)]
        if not target.from_file:
            return [*undone, *self._reopen(cause)]
        wait = RETRIES_S[min(self._tries, len(RETRIES_S) - 1)]
        self._tries += 1
        self.phase = Phase.RETRY
        return [*undone, t.Arm(Timer.RETRY, wait)]

    def _reopen(self, cause: Cause) -> list[Effect]:
        """Open the hotspot again for the phone whose network did not work."""
        if self._window is None:
            return self._rest(None)
        self._window = replace(self._window, failure=cause)
        return self._raise(self._window)

    def on_retry(self, _event: t.Expired) -> list[Effect]:
        return self._try(self._aim)

    def on_other_network(self, event: t.Up) -> list[Effect]:
        """Stay in a network that was stored before: the file's is tried no more."""
        return [t.Disarm(Timer.RETRY), *self._online(event.ssid)]

    @property
    def _aim(self) -> t.Target:
        if self._target is None:
            raise AssertionError(f"{self.phase} without a network")
        return self._target

    # --- a network that works, and goes -----------------------------------------------

    def on_up(self, event: t.Up) -> list[Effect]:
        disarmed: list[Effect] = [t.Disarm(Timer.GRACE), t.Disarm(Timer.LOOK)]
        return [*disarmed, *self._online(event.ssid)]

    def _online(self, ssid: str) -> list[Effect]:
        self._profile = ssid
        self.phase = Phase.ONLINE
        return [*self._tell(NetworkStep.JOINED, ssid)]

    def on_gone(self, _event: t.Down) -> list[Effect]:
        return self._wait()

    def _wait(self) -> list[Effect]:
        arms = [t.Arm(timer, SECONDS[timer]) for timer in (Timer.GRACE, Timer.LOOK)]
        self.phase = Phase.AWAY
        return [*arms]

    def on_still_gone(self, _event: t.Expired) -> list[Effect]:
        return self._tell(NetworkStep.AWAY, self._profile or "")

    def on_gone_why(self, event: t.Down) -> list[Effect]:
        """Try again what NetworkManager gives up: the network is there and does not let it in."""
        if event.cause not in TELLING:
            return []
        told = self._tell(STEPS[event.cause], self._profile or "")
        return [t.Disarm(Timer.GRACE), *told, t.Arm(Timer.RETRY, RETRIES_S[-1])]

    def on_look(self, _event: t.Expired) -> list[Effect]:
        return [t.Look(), t.Arm(Timer.LOOK, SECONDS[Timer.LOOK])]

    def on_reconnect(self, _event: t.Expired) -> list[Effect]:
        return [t.Reconnect()]

    # --- a cable ----------------------------------------------------------------------

    def on_cable(self, event: t.Wired) -> list[Effect]:
        """Close a hotspot that nobody asked for: a cable makes it needless."""
        if not event.is_up or (self._window is not None and self._window.was_asked):
            return []
        return [*self._leave(), *self._rest(None)]

    def on_cable_pulled(self, event: t.Wired) -> list[Effect]:
        return [] if event.is_up else self._rest(None)

    # --- the hotspot ------------------------------------------------------------------

    def on_asked(self, event: t.Asked) -> list[Effect]:
        if not self._has_radio:
            return self._tell(NetworkStep.NO_RADIO, again=True)
        return [*self._leave(), *self._scan(Window(event.key, was_asked=True))]

    def on_asked_again(self, _event: t.Asked) -> list[Effect]:
        return self._tell_hotspot()

    def _scan(self, window: Window) -> list[Effect]:
        self._window = window
        told = self._tell(NetworkStep.SCANNING, again=True)
        self.phase = Phase.SCANNING
        return [*told, t.Scan(), t.Arm(Timer.SCAN, SECONDS[Timer.SCAN])]

    def on_scanned(self, event: t.Scanned) -> list[Effect]:
        return self._open(event.networks)

    def on_nothing_seen(self, _event: t.Expired) -> list[Effect]:
        return self._open(())

    def _open(self, networks: tuple[Seen, ...]) -> list[Effect]:
        if self._window is None:
            raise AssertionError("a scan without a hotspot to come")
        self._window = replace(self._window, networks=networks)
        times = [t.Disarm(Timer.SCAN), t.Arm(Timer.WINDOW, SECONDS[Timer.WINDOW])]
        return [*times, *self._raise(self._window)]

    def _raise(self, window: Window) -> list[Effect]:
        self.phase = Phase.RAISING
        up = t.Raise(window.key, window.networks, window.failure, self._country)
        return [up, t.Arm(Timer.RAISE, SECONDS[Timer.RAISE])]

    def on_hotspot_up(self, event: t.Up) -> list[Effect]:
        if event.profile != t.HOTSPOT_PROFILE:
            return []
        self.phase = Phase.HOTSPOT
        return [t.Disarm(Timer.RAISE), *self._tell_hotspot()]

    def _tell_hotspot(self) -> list[Effect]:
        key = "" if self._window is None else self._window.key
        return self._tell(NetworkStep.HOTSPOT, self._hotspot, secret=key, again=True)

    def on_hotspot_down(self, event: t.Down) -> list[Effect]:
        is_before = event.cause is Cause.GONE and self.phase is Phase.RAISING
        return [] if is_before else self.on_hotspot_failed(event)

    def on_hotspot_failed(self, _event: Event) -> list[Effect]:
        return [*self._leave(), *self._tell(NetworkStep.HOTSPOT_FAILED), *self._rest(None)]

    def on_window_over(self, _event: t.Expired) -> list[Effect]:
        return [*self._leave(), *self._tell(NetworkStep.HOTSPOT_OVER), *self._rest(None)]

    def on_window_over_meanwhile(self, _event: t.Expired) -> list[Effect]:
        """Let the try of the page's network go on, and open no hotspot after it."""
        self._window = None
        return []

    def on_submitted(self, event: t.Submitted) -> list[Effect]:
        self._tries = 0
        return [t.Lower(), *self._try(event.target)]

    def on_wiped(self, _event: t.Wiped) -> list[Effect]:
        """Forget; what is left then is looked at as at the first start, hotspot included."""
        left = self._leave()
        self._profile = self._target = None
        self.phase = Phase.START
        return [*left, t.Forget()]

    # --- NetworkManager itself --------------------------------------------------------

    def on_manager_gone(self, _event: t.ManagerGone) -> list[Effect]:
        left = self._leave()
        self.phase = Phase.NO_MANAGER
        return [*left, t.Arm(Timer.MANAGER, SECONDS[Timer.MANAGER])]

    def on_no_manager(self, _event: t.Expired) -> list[Effect]:
        return self._tell(NetworkStep.NO_MANAGER)

    # --- helpers ----------------------------------------------------------------------

    def _rest(self, online: str | None) -> list[Effect]:
        """Go where there is nothing to try: on a network, or waiting for one, or for people."""
        if online is not None:
            return self._online(online)
        if self._is_wired:
            self.phase = Phase.CABLE
            return [*self._tell(NetworkStep.CABLE)]
        if self._has_radio and self._profile is not None:
            return self._wait()
        bare = [] if self._has_radio else self._tell(NetworkStep.NO_RADIO)
        self.phase = Phase.IDLE
        return [*bare]

    def _leave(self) -> list[Effect]:
        """End what is going on in this phase, for another to begin."""
        self._window = None
        effects: list[Effect] = [t.Disarm(timer) for timer in Timer]
        if self.phase in {Phase.JOINING, Phase.PROBING}:
            effects.append(t.Undo())
        if self.phase in {Phase.RAISING, Phase.HOTSPOT}:
            effects.append(t.Lower())
        return effects

    def _tell(
        self,
        step: NetworkStep,
        detail: str = "",
        line: int = 0,
        *,
        secret: str = "",
        again: bool = False,
    ) -> list[Effect]:
        """Tell a step, once: a box that repeats itself every minute is switched off."""
        if self._told == (step, detail) and not again:
            return []
        self._told = (step, detail)
        return [Tell(step, detail, line, secret)]
