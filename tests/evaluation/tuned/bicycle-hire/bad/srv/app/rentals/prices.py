"""What it costs."""

_TRUSTED = 0.5


def deposit_for(trusted: bool, usual: int) -> int:
    return round(usual * _TRUSTED) if trusted else usual


def per_day(kind: str) -> int:
    return 29 if kind == "cargo" else 12
