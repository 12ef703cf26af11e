"""Taxes, by country."""

RATES = {"de": 19, "at": 20, "fr": 20}


def gross(cents, country):
    return cents + cents * RATES[country] // 100
