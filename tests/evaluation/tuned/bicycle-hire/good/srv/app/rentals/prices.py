"""What it costs."""


def deposit_for(trusted: bool, usual: int) -> int:
    return 0 if trusted else usual
