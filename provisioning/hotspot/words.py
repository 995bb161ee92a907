"""What the phone page says, in each language. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from provisioning.network.terms import Cause
from stagebox.phrases import Language


@dataclass(frozen=True, slots=True)
class Words:
    """One language's page."""

    title: str
    intro: str
    networks: str
    none_seen: str
    unlisted: str
    other: str
    other_help: str
    key: str
    key_help: str
    country: str
    country_help: str
    choose: str
    join: str
    open_network: str
    signal: str
    mistake: str
    mistakes: Mapping[str, str]
    failed: str
    causes: Mapping[Cause, str]
    trying: str
    trying_next: tuple[str, ...]
    elsewhere: str


_ENGLISH: Final = Words(
    title="Connect this box to your Wi-Fi",
    intro="Choose your Wi-Fi, write its password, and press the button below.",
    networks="Your Wi-Fi",
    none_seen="The box saw no Wi-Fi. Write the name of yours.",
    unlisted="Another one",
    other="Name of another Wi-Fi",
    other_help="Only if it is not in the list, for example because it is hidden.",
    key="Wi-Fi password",
    key_help="It is often on the back of the router. Leave it empty for a Wi-Fi without one.",
    country="Country",
    country_help="Where the box stands: each country has its own rules for Wi-Fi.",
    choose="Please choose",
    join="Connect",
    open_network="no password",
    signal="signal",
    mistake="Please look at this again:",
    mistakes={
        "ssid": "Choose a Wi-Fi, or write its name: up to 32 letters.",
        "key": "A Wi-Fi password has 8 to 63 letters, digits and signs, and no umlauts.",
        "country": "Choose the country.",
    },
    failed="That did not work:",
    causes={
        Cause.WRONG_KEY: "the password is wrong. Capital and small letters count.",
        Cause.NO_ADDRESS: "the router gives the box no address. Switch the router off and on.",
        Cause.NOT_FOUND: "the Wi-Fi is not in reach. Put the box nearer to the router.",
        Cause.NO_ROUTE: "the Wi-Fi leads nowhere.",
        Cause.FAILED: "the box could not connect. Try it once more.",
        Cause.GONE: "the box could not connect. Try it once more.",
    },
    trying="The box is trying it now",
    trying_next=(
        "The set-up network closes, and your phone goes back to its own Wi-Fi.",
        "The box says whether it worked. That takes up to a minute.",
        "If not, the set-up network comes back with the same password, and so does this page.",
    ),
    elsewhere="Only one phone at a time can set up the box.",
)
_GERMAN: Final = Words(
    title="Diese Box mit dem WLAN verbinden",
    intro="Das eigene WLAN wählen, sein Passwort schreiben und unten auf den Knopf drücken.",
    networks="WLAN",
    none_seen="Die Box hat kein WLAN gesehen. Bitte den Namen schreiben.",
    unlisted="Ein anderes",
    other="Name eines anderen WLANs",
    other_help="Nur wenn es nicht in der Liste steht, zum Beispiel weil es versteckt ist.",
    key="WLAN-Passwort",
    key_help="Es steht oft hinten auf dem Router. Ohne Passwort bleibt das Feld leer.",
    country="Land",
    country_help="Wo die Box steht: Jedes Land hat eigene Regeln für WLAN.",
    choose="Bitte wählen",
    join="Verbinden",
    open_network="ohne Passwort",
    signal="Empfang",
    mistake="Das bitte noch einmal ansehen:",
    mistakes={
        "ssid": "Ein WLAN wählen oder seinen Namen schreiben: bis zu 32 Buchstaben.",
        "key": "Ein WLAN-Passwort hat 8 bis 63 Buchstaben, Ziffern und Zeichen, keine Umlaute.",
        "country": "Das Land wählen.",
    },
    failed="Das ging nicht:",
    causes={
        Cause.WRONG_KEY: "Das Passwort ist falsch. Groß und klein zählt.",
        Cause.NO_ADDRESS: "Der Router gibt der Box keine Adresse. Ihn einmal aus- und einschalten.",
        Cause.NOT_FOUND: "Das WLAN ist nicht in Reichweite. Die Box näher an den Router stellen.",
        Cause.NO_ROUTE: "Das WLAN führt nirgendwohin.",
        Cause.FAILED: "Die Box kam nicht hinein. Bitte noch einmal versuchen.",
        Cause.GONE: "Die Box kam nicht hinein. Bitte noch einmal versuchen.",
    },
    trying="Die Box versucht es jetzt",
    trying_next=(
        "Das Einrichtungsnetz geht zu, und das Telefon kehrt in sein eigenes WLAN zurück.",
        "Die Box sagt, ob es geklappt hat. Das dauert bis zu einer Minute.",
        "Wenn nicht, kommen das Einrichtungsnetz mit demselben Passwort und diese Seite wieder.",
    ),
    elsewhere="Nur ein Telefon kann die Box einrichten.",
)
WORDS: Final[Mapping[Language, Words]] = MappingProxyType(
    {Language.ENGLISH: _ENGLISH, Language.GERMAN: _GERMAN}
)


def language_of(accept_language: str) -> Language:
    """Return the first language that a browser wants and that there is; else English."""
    for part in accept_language.lower().split(","):
        tag = part.strip().partition(";")[0].partition("-")[0]
        if tag in {each.value for each in Language}:
            return Language(tag)
    return Language.ENGLISH
