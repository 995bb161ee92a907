"""Countries by the names that their people use, for the radio's rules. Pure."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# Two letters (ISO 3166-1), and the name; any other pair of letters can be written in.
COUNTRIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AU": "Australia",
        "BE": "België / Belgique",
        "BR": "Brasil",
        "BG": "България",
        "CA": "Canada",
        "CZ": "Česko",
        "CL": "Chile",
        "CN": "中国",
        "DK": "Danmark",
        "DE": "Deutschland",
        "EE": "Eesti",
        "IE": "Éire / Ireland",
        "ES": "España",
        "FR": "France",
        "GR": "Ελλάδα",
        "HR": "Hrvatska",
        "IN": "India",
        "IS": "Ísland",
        "IL": "ישראל",
        "IT": "Italia",
        "JP": "日本",
        "KR": "대한민국",
        "LV": "Latvija",
        "LI": "Liechtenstein",
        "LT": "Lietuva",
        "LU": "Luxembourg",
        "HU": "Magyarország",
        "MX": "México",
        "NL": "Nederland",
        "NZ": "New Zealand",
        "NO": "Norge",
        "AT": "Österreich",
        "PL": "Polska",
        "PT": "Portugal",
        "RO": "România",
        "CH": "Schweiz / Suisse / Svizzera",
        "SG": "Singapore",
        "SI": "Slovenija",
        "SK": "Slovensko",
        "ZA": "South Africa",
        "FI": "Suomi / Finland",
        "SE": "Sverige",
        "TR": "Türkiye",
        "UA": "Україна",
        "GB": "United Kingdom",
        "US": "United States",
    }
)
_REGION: Final = re.compile(r"\b[a-z]{2,3}-([A-Z]{2})\b")


def guessed(accept_language: str) -> str | None:
    """Return the country that a browser's languages speak of first, for a choice to begin at."""
    found = (match[1] for match in _REGION.finditer(accept_language))
    return next((country for country in found if country in COUNTRIES), None)
