"""Writes one letter."""

from datetime import date
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path

from babel.dates import format_date
from babel.numbers import format_currency
from babel.support import Translations
from jinja2 import Environment, FileSystemLoader

_HERE = Path(__file__).parents[1]


def environment(language: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
    )
    made.install_gettext_translations(Translations.load(_HERE / "locale", [language], "letters"))
    return made


def write(booking: dict, house: dict) -> EmailMessage:
    language = booking["language"]
    jinja = environment(language)
    text = jinja.get_template("confirmation.txt").render(
        booking=booking,
        house=house,
        arrival=format_date(date.fromisoformat(booking["arrival"]), "long", locale=language),
        price=format_currency(Decimal(booking["price"]), house["currency"], locale=language),
    )
    message = EmailMessage()
    message["From"] = house["mail"]
    message["To"] = booking["mail"]
    message["Subject"] = f"{house['name']} {booking['number']}"
    message["Content-Language"] = language
    message.set_content(text)
    return message
