"""Slack, mail and a hundred more through Apprise, in a process of its own.

Apprise's services open connections as they like: by requests, smtplib and others, with redirects, proxies, threads and
time-outs of their own. So each message is sent by `apprise_child.py`, which may connect to vetted addresses only, read
no file of this server's, run no program, and lasts no longer than a message may take.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from importlib.util import find_spec
from typing import Any

from envparity_agent.errors import CannotTell, UsageError
from envparity_server.notify.interface import Networks, Notification, SendError

TIMEOUT = 10  # seconds for the message, once the library is loaded
_LONGEST = 30  # with loading it
_KEPT = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
_MAX_ADDRESS = 2048


class AppriseSender:
    """One receiver, by its Apprise URL."""

    def __init__(self, address: str, allowed: Networks, timeout: int = TIMEOUT) -> None:
        self._address = address
        self._allowed = allowed
        self._timeout = timeout

    def send(self, delivery: str, notification: Notification, now: datetime) -> None:  # noqa: ARG002  # the protocol's
        """Send once; raises SendError, permanent for an address that is refused."""
        message = {"title": notification.title, "body": notification.text()}
        try:
            answer = _asked(self._address, self._allowed, message, self._timeout)
        except UsageError as problem:
            raise SendError(str(problem), permanent=True) from None
        except CannotTell as problem:
            raise SendError(str(problem), permanent=False) from None
        if answer.get("sent") is not True:
            raise SendError(f"not delivered: {answer.get('why') or 'the service gave no reason'}", permanent=False)


def check_apprise(address: str, allowed: Networks) -> None:
    """Raise UsageError for an address that Apprise does not know or that is refused; CannotTell for an unknown host."""
    _asked(address, allowed, None)


def _asked(
    address: str, allowed: Networks, message: Mapping[str, str] | None, timeout: int = TIMEOUT
) -> dict[str, Any]:
    """What the child answers; with a message it sends, without one it only looks at the address."""
    if find_spec("apprise") is None:
        raise UsageError("this server has no Apprise", 'pip install "envparity[notify]"')
    if len(address) > _MAX_ADDRESS or not address.isprintable():
        raise UsageError("the address is too long, or has characters that no URL has")
    order = {"address": address, "allowed": [str(one) for one in allowed], "message": message, "timeout": timeout}
    try:
        ended = subprocess.run(  # this very Python and a module of ours; what is foreign goes by stdin
            [sys.executable, "-PB", "-m", "envparity_server.notify.apprise_child"],
            input=json.dumps(order).encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=_LONGEST,
            env={name: os.environ[name] for name in _KEPT if name in os.environ}, cwd="/", check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise CannotTell(f"no answer within {_LONGEST} seconds") from None
    try:
        answer = json.loads(ended.stdout)
    except ValueError:
        raise CannotTell(f"no answer within {timeout} seconds, or Apprise failed (exit {ended.returncode})") from None
    if answer.get("unresolved"):
        raise CannotTell(answer["unresolved"], "check the name")
    if answer.get("refused"):
        raise UsageError(answer["refused"], answer.get("advice", ""))
    return dict(answer)
