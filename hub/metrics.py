"""What the hub counts, in a registry of its own, for ``GET /metrics``.

Labels come from closed lists (message types, codes, reasons), never from input, so
that nobody on the network can grow the registry.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

from hub.media.lateness import buckets
from hub.media.report import MediaReport
from stagebox.wire.messages import FloorReply, MemberMessage

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

# From "nothing" to "a member may be taken for lost" (LOST_AFTER_MS).
_LAG_BUCKETS: Final = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)

_LATE: Final = {
    "audio_clock": "Lateness of the mixing clock.",
    "forwarding": "From a packet's arrival until its last copy was sent.",
}

Source = Callable[[], Mapping[str, float]]

log = logging.getLogger(__name__)


class Metrics:
    """All counters of one hub."""

    def __init__(self) -> None:
        registry = CollectorRegistry(auto_describe=False)
        self.registry = registry
        self.messages = Counter(
            "stagebox_messages", "Messages from members.", ["type"], registry=registry
        )
        self.bad_messages = Counter(
            "stagebox_bad_messages", "Answered with an error.", ["code"], registry=registry
        )
        self.sessions = Gauge("stagebox_sessions", "Open sessions.", registry=registry)
        self.sessions_opened = Counter(
            "stagebox_sessions_opened", "Sessions that got a welcome.", registry=registry
        )
        self.sessions_closed = Counter(
            "stagebox_sessions_closed", "Sessions that ended.", ["reason"], registry=registry
        )
        self.refused = Counter(
            "stagebox_refused_connections", "Not taken or cut.", ["reason"], registry=registry
        )
        self.floor = Counter(
            "stagebox_floor_events", "Floor messages to members.", ["type"], registry=registry
        )
        self.happenings = Counter(
            "stagebox_happenings", "What happened in spaces.", ["kind"], registry=registry
        )
        self.bad_http = Counter(
            "stagebox_bad_http_requests", "Requests that are not HTTP.", registry=registry
        )
        self.store_troubles = Counter(
            "stagebox_store_troubles", "Troubles of the database.", ["kind"], registry=registry
        )
        self.discovery_failures = Counter(
            "stagebox_discovery_failures", "Failed advertisements.", registry=registry
        )
        self.loop_lag = Histogram(
            "stagebox_loop_lag_seconds",
            "Lateness of the event loop.",
            buckets=_LAG_BUCKETS,
            registry=registry,
        )
        self._sources = _Sources()
        registry.register(self._sources)

    def add_source(self, name: str, source: Source) -> None:
        """Export the counters that ``source()`` returns as ``stagebox_<name>_total{event}``."""
        self._sources.add(name, source)

    def add_gauge(self, name: str, label: str, source: Source) -> None:
        """Export what ``source()`` returns for each value of ``label`` as ``stagebox_<name>``."""
        self.registry.register(_Gauge(name, label, source))

    def add_media(self, report: Callable[[], MediaReport]) -> None:
        """Export what the media plane counts."""
        self.add_source("audio", lambda: report().audio)
        self.add_source("media_sessions", lambda: report().sessions)
        self.add_source("datagram_drops", lambda: report().datagram_drops)
        self.add_source("media_channel", lambda: report().channel_drops)
        self.registry.register(_Late(report))

    def count_message(self, message: MemberMessage) -> None:
        """Count a message from a member by its type."""
        self.messages.labels(message.__struct_config__.tag).inc()

    def count_floor(self, message: FloorReply) -> None:
        """Count what the floor told a member by its type."""
        self.floor.labels(message.__struct_config__.tag).inc()

    def render(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)


class _Sources(Collector):
    """Counters kept elsewhere, read when somebody asks."""

    def __init__(self) -> None:
        self._sources: dict[str, Source] = {}

    def add(self, name: str, source: Source) -> None:
        if name in self._sources:
            raise ValueError(f"there is a source named {name!r} already")
        self._sources[name] = source

    def collect(self) -> Iterable[CounterMetricFamily]:
        for name, source in self._sources.items():
            family = CounterMetricFamily(
                f"stagebox_{name}", f"Counters of {name}.", labels=["event"]
            )
            for event, value in source().items():
                family.add_metric([event], value)
            yield family


class _Gauge(Collector):
    """Figures that go up and down, read when somebody asks."""

    def __init__(self, name: str, label: str, source: Source) -> None:
        self._name, self._label, self._source = name, label, source

    def collect(self) -> Iterable[GaugeMetricFamily]:
        name = f"stagebox_{self._name}"
        family = GaugeMetricFamily(name, f"{self._name} now.".capitalize(), labels=[self._label])
        for value, figure in self._source().items():
            family.add_metric([value], figure)
        yield family


class _Late(Collector):
    """How late sound leaves."""

    def __init__(self, report: Callable[[], MediaReport]) -> None:
        self._report = report

    def collect(self) -> Iterable[HistogramMetricFamily]:
        report = self._report()
        for name, what, late in (
            ("audio_clock", "Lateness of the mixing clock.", report.clock),
            (
                "forwarding",
                "From a packet's arrival to its last copy's sending.",
                report.forwarding,
            ),
        ):
            family = HistogramMetricFamily(f"stagebox_{name}_seconds", what)
            family.add_metric([], buckets(late.counts), late.total_s)
            yield family
