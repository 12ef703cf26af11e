"""The price as people of a language write it, and the price of a kilogram."""

from datetime import date

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency

from labels.articles import Article


class MissingPrice(Exception):
    """A label would have no price."""


def price(article: Article, language: str, currency: str) -> tuple[str, str]:
    """The price, and that of a kilogram."""
    locale = _locale(language, article)
    kilogram = article.price * 1000 / article.grams
    return format_currency(article.price, currency, locale=locale), format_currency(kilogram, currency, locale=locale)


def day(when: date, language: str) -> str:
    return format_date(when, "short", locale=language)


def _locale(language: str, article: Article) -> Locale:
    try:
        return Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        raise MissingPrice(f"no price for {article.ean}") from None
