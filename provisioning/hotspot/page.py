"""The page that sets up a box, as HTML: one form, no script, nothing from elsewhere. Pure."""

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from typing import Final

from provisioning.hotspot.countries import COUNTRIES
from provisioning.hotspot.form import OTHER, Filled
from provisioning.hotspot.words import WORDS, Words
from provisioning.network.terms import Cause
from provisioning.network.wifi import Seen
from stagebox.phrases import Language

STYLE: Final = """
:root{color-scheme:light dark}
body{font:1.125rem/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem;line-height:1.25}
fieldset{border:1px solid;border-radius:.5rem;margin:0 0 1.5rem;padding:.5rem 1rem}
legend,label.field{font-weight:600}
.row{display:flex;gap:.75rem;align-items:center;min-height:3rem}
.row input{width:1.5rem;height:1.5rem;flex:none}
.row label{flex:1;overflow-wrap:anywhere;padding:.5rem 0}
.field{display:block;margin-top:1rem}
.help{margin:0;font-size:1rem}
input[type=text],select{font:inherit;width:100%;box-sizing:border-box;min-height:3rem;padding:.5rem;
border:1px solid;border-radius:.5rem}
button{font:inherit;font-weight:600;width:100%;min-height:3.5rem;margin:1.5rem 0;border:0;
border-radius:.5rem;background:#0b57d0;color:#fff}
:focus-visible{outline:3px solid #b3261e;outline-offset:2px}
.alert{border:2px solid #b3261e;border-radius:.5rem;padding:.75rem 1rem}
"""
_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """What the page offers: networks in reach, why the last one failed, the form's token."""

    networks: tuple[Seen, ...]
    token: str
    failure: Cause | None = None
    country: str = ""


def form_page(offer: Offer, filled: Filled, language: Language) -> str:
    """Return the page with the form, as it was filled in."""
    words = WORDS[language]
    parts = [
        f"<h1>{escape(words.title)}</h1>",
        _alert(words, offer.failure, filled.wrong),
        f"<p>{escape(words.intro)}</p>",
        '<form method="post" action="/" autocomplete="off">',
        f'<input type="hidden" name="token" value="{escape(offer.token)}">',
        _networks(words, offer.networks, filled),
        _text(words.other, "other", filled.other, words.other_help, filled.wrong == "ssid"),
        _text(words.key, "key", filled.key, words.key_help, filled.wrong == "key"),
        _country(words, filled.country or offer.country, filled.wrong == "country"),
        f'<button type="submit">{escape(words.join)}</button>',
        "</form>",
    ]
    return _document(words.title, "\n".join(part for part in parts if part), language)


def trying_page(language: Language) -> str:
    """Return what is shown while the box tries the network."""
    words = WORDS[language]
    lines = "".join(f"<p>{escape(line)}</p>" for line in words.trying_next)
    return _document(words.trying, f"<h1>{escape(words.trying)}</h1>{lines}", language)


def elsewhere_page(language: Language) -> str:
    """Return what a second phone is shown."""
    words = WORDS[language]
    return _document(words.title, f"<h1>{escape(words.elsewhere)}</h1>", language)


def _document(title: str, body: str, language: Language) -> str:
    return (
        f'<!doctype html>\n<html lang="{language.value}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _alert(words: Words, failure: Cause | None, wrong: str) -> str:
    if wrong:
        said = f"{words.mistake} {words.mistakes[wrong]}"
    elif failure is not None:
        said = f"{words.failed} {words.causes[failure]}"
    else:
        return ""
    return f'<p class="alert" role="alert" id="alert">{escape(said)}</p>'


def _networks(words: Words, networks: tuple[Seen, ...], filled: Filled) -> str:
    if not networks:
        return f"<p>{escape(words.none_seen)}</p>"
    rows = [
        _row(f"n{i}", seen.ssid, _described(words, seen), filled) for i, seen in enumerate(networks)
    ]
    rows.append(_row("other-one", OTHER, escape(words.unlisted), filled))
    return f"<fieldset><legend>{escape(words.networks)}</legend>{''.join(rows)}</fieldset>"


def _row(name: str, value: str, label: str, filled: Filled) -> str:
    checked = " checked" if filled.network == value else ""
    return (
        f'<div class="row"><input type="radio" name="network" id="{name}" '
        f'value="{escape(value)}"{checked}><label for="{name}">{label}</label></div>'
    )


def _described(words: Words, seen: Seen) -> str:
    lock = "" if seen.is_secured else f", {words.open_network}"
    return (
        f"<bdi>{escape(seen.ssid)}</bdi> ({escape(words.signal)} {seen.strength} %{escape(lock)})"
    )


def _text(label: str, name: str, value: str, about: str, is_wrong: bool) -> str:
    return (
        f'<label class="field" for="{name}">{escape(label)}</label>'
        f'<p class="help" id="{name}-help">{escape(about)}</p>'
        f'<input type="text" id="{name}" name="{name}" value="{escape(value)}" maxlength="64" '
        f'autocapitalize="none" autocorrect="off" spellcheck="false"'
        f"{_described_by(name, is_wrong)}>"
    )


def _country(words: Words, chosen: str, is_wrong: bool) -> str:
    known = dict(COUNTRIES) if not chosen or chosen in COUNTRIES else {chosen: chosen, **COUNTRIES}
    options = "".join(
        f'<option value="{escape(code)}"{" selected" if code == chosen else ""}>'
        f"{escape(name)}</option>"
        for code, name in known.items()
    )
    return (
        f'<label class="field" for="country">{escape(words.country)}</label>'
        f'<p class="help" id="country-help">{escape(words.country_help)}</p>'
        f'<select id="country" name="country"{_described_by("country", is_wrong)}>'
        f'<option value="">{escape(words.choose)}</option>{options}</select>'
    )


def _described_by(name: str, is_wrong: bool) -> str:
    if is_wrong:
        return f' aria-invalid="true" aria-describedby="alert {name}-help"'
    return f' aria-describedby="{name}-help"'
