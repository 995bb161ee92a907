"""Calendar time in and out: RFC 3339 text, as on the wire, and ``datetime`` with a zone."""

from datetime import UTC, datetime, timedelta

from stagebox.wire.terms import Moment


def parse(text: Moment) -> datetime:
    """Return the moment that ``text`` names.

    Raises:
        ValueError: there is no such day or hour.
    """
    return datetime.fromisoformat(text)


def moment(when: datetime) -> Moment:
    """Return ``when`` as text, in UTC, to the second."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_ahead(text: Moment, utc: datetime, most_days: int) -> datetime:
    """Return the moment that ``text`` names, which must be ahead, by ``most_days`` at most.

    Raises:
        ValueError: it is not; the text is for the person who asked.
    """
    try:
        when = parse(text)
    except ValueError:
        msg = "There is no such day or hour. Give one such as 2027-03-01T19:30:00+01:00."
        raise ValueError(msg) from None
    if when <= utc:
        raise ValueError("That moment is past. Choose a later one.")
    if when > utc + timedelta(days=most_days):
        raise ValueError(f"That is more than {most_days} days ahead. Choose an earlier day.")
    return when
