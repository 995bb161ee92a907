import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.hotspot.countries import COUNTRIES, guessed
from provisioning.hotspot.form import OTHER, Filled, StrangeFormError, read
from provisioning.hotspot.page import HEADERS, Offer, elsewhere_page, form_page, trying_page
from provisioning.hotspot.words import WORDS, language_of
from provisioning.network.terms import Cause, Target
from provisioning.network.wifi import Seen, Wifi
from stagebox.phrases import Language

SEEN = (Seen("Harbour", 80, is_secured=True), Seen("<b>café</b>", 30, is_secured=False))
OFFER = Offer(SEEN, "tok")
FORM = {"token": "tok", "network": "Harbour", "other": "", "key": "12345678", "country": "DE"}


class Page(HTMLParser):
    """What a browser makes of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for each, attrs in self.tags if each == tag]


def test_what_a_form_says() -> None:
    assert read(FORM, "tok") == Target(Wifi("Harbour", "12345678"), "DE", from_file=False)
    hidden = read({**FORM, "network": OTHER, "other": "Cellar"}, "tok")
    assert hidden == Target(Wifi("Cellar", "12345678", is_hidden=True), "DE", from_file=False)


@pytest.mark.parametrize(
    ("field", "value", "wrong"),
    [
        ("network", "", "ssid"),
        ("network", OTHER, "ssid"),
        ("other", "x" * 33, "ssid"),
        ("key", "short", "key"),
        ("country", "", "country"),
        ("country", "<b>", "country"),
    ],
)
def test_what_is_wrong_in_a_form_is_named_and_the_rest_stays(
    field: str, value: str, wrong: str
) -> None:
    filled = read({**FORM, field: value}, "tok")
    assert isinstance(filled, Filled)
    assert filled.wrong == wrong
    for language in Language:
        page = Page(form_page(OFFER, filled, language))
        assert WORDS[language].mistakes[wrong] in page.text
        name = "other" if wrong == "ssid" else wrong
        (marked,) = [attrs for _, attrs in page.tags if attrs.get("aria-invalid") == "true"]
        assert marked["id"] == name
        assert "12345678" not in repr(filled)


@pytest.mark.parametrize("token", ["", "tik", "tok "])
def test_a_form_from_elsewhere(token: str) -> None:
    with pytest.raises(StrangeFormError):
        read({**FORM, "token": token}, "tok")
    with pytest.raises(StrangeFormError):
        read({}, "tok")


@pytest.mark.parametrize("language", Language)
def test_the_page_needs_no_script_and_every_field_has_a_label(language: Language) -> None:
    page = Page(form_page(OFFER, Filled(network="Harbour", country="AT"), language))
    assert not page.all("script")
    assert page.all("html") == [{"lang": language.value}]
    fields = [*page.all("input"), *page.all("select")]
    labelled = {attrs["for"] for attrs in page.all("label")}
    assert {each["id"] for each in fields if each.get("type") != "hidden"} == labelled
    described = {word for each in fields for word in (each.get("aria-describedby") or "").split()}
    assert described <= {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    chosen = [each for each in page.all("option") if "selected" in each]
    assert chosen == [{"value": "AT", "selected": None}]
    assert [each["id"] for each in page.all("input") if "checked" in each] == ["n0"]
    assert "<b>café</b>" in page.text
    assert not page.all("b")


def test_a_country_that_is_not_in_the_list_is_kept() -> None:
    page = Page(form_page(Offer((), "t", country="FO"), Filled(), Language.ENGLISH))
    assert {"value": "FO", "selected": None} in page.all("option")
    assert WORDS[Language.ENGLISH].none_seen in page.text
    assert not page.all("fieldset")


@pytest.mark.parametrize("cause", Cause)
def test_what_failed_is_said_again(cause: Cause) -> None:
    for language in Language:
        page = Page(form_page(Offer(SEEN, "t", cause), Filled(), language))
        assert WORDS[language].causes[cause] in page.text
        assert page.all("p")[0]["role"] == "alert"


def test_the_style_is_the_only_thing_that_the_policy_lets_in() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    for language in Language:
        for text in (trying_page(language), elsewhere_page(language)):
            assert not re.search(r"\b(src|href|style|on\w+)=", text)


@given(st.text(max_size=40), st.text(max_size=70), st.text(max_size=5))
def test_nothing_that_is_typed_becomes_a_tag(other: str, key: str, country: str) -> None:
    plain = Page(form_page(OFFER, Filled(), Language.ENGLISH))
    filled = Filled(other=other, key=key, country=country)
    page = Page(form_page(OFFER, filled, Language.ENGLISH))
    more = 0 if not country or country in COUNTRIES else 1
    assert len(page.tags) == len(plain.tags) + more


@pytest.mark.parametrize(
    ("accepted", "language", "country"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", Language.GERMAN, "AT"),
        ("en-GB,en;q=0.5", Language.ENGLISH, "GB"),
        ("fr-FR, de;q=0.7", Language.GERMAN, "FR"),
        ("fr", Language.ENGLISH, None),
        ("en-XX", Language.ENGLISH, None),
        ("", Language.ENGLISH, None),
    ],
)
def test_a_browser_s_languages(accepted: str, language: Language, country: str | None) -> None:
    assert (language_of(accepted), guessed(accepted)) == (language, country)
