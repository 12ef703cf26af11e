"""Taxes."""

RATE = 19


def gross(cents):
    return cents + cents * RATE // 100
