"""Answers, rendered as the tills expect them."""

from decimal import Decimal

from jinja2 import Environment

_ENVIRONMENT = Environment(autoescape=True)
_CONFIRM = _ENVIRONMENT.from_string('<confirmed number="{{ number }}" total="{{ total }}"/>')
_WELCOME = _ENVIRONMENT.from_string('<welcome till="{{ till }}"/>')
_REFUSE = _ENVIRONMENT.from_string('<refused what="{{ what }}"/>')


def welcome(till: str) -> str:
    return _WELCOME.render(till=till)


def confirm(number: str, total: Decimal) -> str:
    return _CONFIRM.render(number=number, total=total)


def refuse(what: str) -> str:
    return _REFUSE.render(what=what)
