"""The process that speaks to Apprise: one order from stdin, one answer to stdout, and no way round the guard.

Python's audit hooks see every connection before it is made, whoever makes it and whatever it was redirected or resolved
to: https://docs.python.org/3/library/audit_events.html
"""

import json
import logging
import mimetypes
import os
import re
import resource
import signal
import sys
from ipaddress import ip_network
from typing import Any
from urllib.parse import unquote

import apprise

from envparity_agent.errors import CannotTell, EnvparityError
from envparity_server.notify.egress import Refused, check, vetted
from envparity_server.notify.interface import Networks

# they send to any address over HTTP, or to this machine itself: a webhook is there for the one, nobody needs the other
REFUSED = frozenset(
    ("apprise", "apprises", "blink1", "dbus", "form", "forms", "glib", "gnome", "json", "jsons", "kde", "macosx", "qt",
     "rsyslog", "syslog", "windows", "xml", "xmls")
)  # fmt: skip
_MEMORY = 1024**3  # bytes: an answer without an end must not fill this machine
_READABLE = tuple(
    f"{os.path.realpath(path)}/" for path in {*sys.path, sys.prefix, sys.base_prefix, "/usr", "/etc/ssl", "/etc/pki"}
)
_FILES = {"/dev/null", "/dev/urandom", *mimetypes.knownfiles, *map(os.path.realpath, mimetypes.knownfiles)}
_CERTIFICATES = [
    os.path.realpath(os.environ[name])
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
    if name in os.environ
]
_PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "pty.spawn")


class _Guard:
    """What this process may do from now on; what it was kept from is remembered, however a service takes it."""

    def __init__(self, allowed: Networks) -> None:
        self._allowed = allowed
        self.refusal: EnvparityError | None = None

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """The audit hook; raises to keep the event from happening."""
        try:
            if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
                self._may_send(arguments[1])
            elif event == "open":
                _may_open(arguments[0], arguments[2])
            elif event in _PROGRAMS:
                raise Refused("this service runs a program")
        except EnvparityError as problem:
            self.refusal = problem
            raise

    def _may_send(self, address: Any) -> None:
        if address is None:  # of a connected socket
            return
        if not isinstance(address, tuple):
            raise Refused("this service speaks to a socket of this machine")
        check(str(address[0]), self._allowed)


def _may_open(path: Any, flags: Any) -> None:
    if not isinstance(path, str | bytes):  # a descriptor that is open already
        return
    real = os.path.realpath(os.fsdecode(path))
    if real in _FILES:
        return
    writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
    if writes or not (
        real.startswith(_READABLE) or any(real == one or real.startswith(f"{one}/") for one in _CERTIFICATES)
    ):
        raise Refused("this service opens a file of this machine")


class _Last(logging.Handler):
    """The last warning of the library: it returns a bool, and says only there what went wrong."""

    said = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.said = record.getMessage()


def _obeyed(order: dict[str, Any]) -> dict[str, Any]:
    allowed = [ip_network(one) for one in order["allowed"]]
    guard, last = _Guard(allowed), _Last(logging.WARNING)
    logging.getLogger("apprise").addHandler(last)
    sys.addaudithook(guard.hook)
    sent, why = False, ""
    try:
        service = _service(order["address"], allowed, last)
        if order["message"] is not None:
            signal.alarm(order["timeout"])  # ends the process
            sent = service.notify(**order["message"], body_format=apprise.NotifyFormat.TEXT)
    except CannotTell as problem:
        return {"unresolved": str(problem)}
    except EnvparityError as problem:
        guard.refusal = guard.refusal or problem
    except Exception as problem:  # noqa: BLE001  # any of a hundred services; its text may hold the address
        why = type(problem).__name__
    if guard.refusal and not sent:
        return {"refused": str(guard.refusal), "advice": guard.refusal.advice}
    return {"sent": bool(sent), "why": why or _without_secrets(last.said, order["address"])}


def _service(address: str, allowed: Networks, last: _Last) -> Any:
    """The library's object for an address, its host vetted; raises Refused."""
    asset = apprise.AppriseAsset(http_redirects=False, storage_mode="memory", allow_templates=False)
    service = apprise.Apprise.instantiate(address, asset=asset)
    if service is None:
        why = _without_secrets(last.said, address)
        raise Refused(
            f"Apprise takes no such address{f': {why}' if why else ''}", "see https://github.com/caronc/apprise/wiki"
        )
    if REFUSED & _schemes(service):
        raise Refused("this kind of address is not taken: it goes round the guard", "use a channel of the kind webhook")
    service.redirects = False  # whatever the address says
    for host in _hosts(service):
        vetted(host, service.port or 0, allowed)
    return service


def _schemes(service: Any) -> set[str]:
    """Every scheme of a service: an address may say https:// and be taken as another one's."""
    return set(service.schemas())


def _hosts(service: Any) -> set[str]:
    """The hosts that an address names; where a service has its own, the place of the host is that of a token."""
    if hasattr(service, "smtp_host"):
        return {service.smtp_host}
    names_host = any("{host}" in template for template in service.templates)
    return {service.host} if names_host and service.host else set()


def _without_secrets(text: str, address: str) -> str:
    """What the library said, without any part of the address that may be a secret."""
    for part in sorted({*_parts(address), *map(unquote, _parts(address))}, key=len, reverse=True):
        text = text.replace(part, "…")
    return text[:300]


def _parts(address: str) -> list[str]:
    _, _, rest = address.partition("://")
    return [part for part in re.split(r"[:/?&=@,+\s]", rest or address) if len(part) > 3]


def main() -> None:
    """Read the order, obey, answer; whatever the library prints goes nowhere."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    answer.write(json.dumps(_obeyed(json.load(sys.stdin))))
    answer.close()


if __name__ == "__main__":
    main()
