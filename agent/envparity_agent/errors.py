"""The errors that a person sees: what happened, where, and what to do next.

EnvparityError            exit_code, shown as one or two lines, never as a traceback
├── UsageError       2    the command, a target, a selector or a configuration is wrong
│   └── InvalidDocument   a fingerprint or another document breaks the contract
├── CannotTell       3    the question is right, but there is no answer: unread, stale, unreachable
│   └── Unreadable        one path below a root could not be read; carries the reason code
└── NotWritten       2, 3 the result could not be written; drift that was found keeps its 1
"""


class EnvparityError(Exception):
    """An error for the person at the terminal; `advice` says what to do next."""

    exit_code = 2

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class UsageError(EnvparityError):
    """The command, a target, a selector or a configuration is wrong."""


class InvalidDocument(UsageError):
    """A document breaks the contract of `fingerprint.py`."""


class CannotTell(EnvparityError):
    """The question is right, but what it needs could not be read or reached."""

    exit_code = 3


class Unreadable(CannotTell):
    """One path below a root could not be read; `reason` is a code of `fingerprint.Reason`."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class NotWritten(EnvparityError):
    """The result could not be written: the exit code is that of what was found, but never 0."""

    def __init__(self, message: str, advice: str = "", found: int = 0, otherwise: int = 3) -> None:
        super().__init__(message, advice)
        self.exit_code = found or otherwise
