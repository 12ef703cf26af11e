"""A webhook: the notification as JSON in a signed POST, to an address that was vetted, and to no other.

The receiver checks a delivery by the channel's secret (of which it is told once, when the channel is made):

    Envparity-Delivery: 5f0c...            the same for every try of one delivery: what was seen may be dropped
    Envparity-Signature: t=1762000000,v1=HEX

HEX is HMAC-SHA256(secret, t + "." + body), over the bytes of the body as they came. Compare it in constant time, and
refuse a `t` (seconds since 1970) that is more than five minutes away. In Python:

    t, v1 = (part.split("=", 1)[1] for part in signature.split(","))
    good = hmac.new(secret.encode(), f"{t}.".encode() + body, "sha256").hexdigest()
    assert hmac.compare_digest(good, v1) and abs(time.time() - int(t)) < 300

The body is what `schema.py` describes. Any 2xx answer means that it was received.
"""

import hmac
import json
import ssl
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus

import anyio
import httpx

from envparity_agent import __version__
from envparity_agent.errors import CannotTell
from envparity_server.notify.egress import Refused, Resolve, resolve, vetted
from envparity_server.notify.interface import Networks, Notification, SendError

TIMEOUT = 10.0  # seconds for the whole exchange: a receiver that trickles is cut off as well
MAX_ANSWER = 64 * 1024
_MAX_URL = 2048
_PORTS = {"http": 80, "https": 443}
_MAY_PASS = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


class Webhook:
    """One receiver: its address, and the secret that signs what it gets."""

    def __init__(
        self, address: str, secret: str, allowed: Networks, resolve: Resolve = resolve, timeout: float = TIMEOUT
    ) -> None:
        self._address = address
        self._secret = secret
        self._allowed = allowed
        self._resolve = resolve
        self._timeout = timeout

    def send(self, delivery: str, notification: Notification, now: datetime) -> None:
        """Post once; raises SendError, permanent for a refused address and for what a 4xx answer refuses."""
        try:
            url = parse_address(self._address)
            addresses = vetted(host_of(url), port_of(url), self._allowed, self._resolve)
        except Refused as problem:
            raise SendError(str(problem), permanent=True) from None
        except CannotTell as problem:
            raise SendError(str(problem), permanent=False) from None
        body = json.dumps({"delivery": delivery, **notification.document()}, ensure_ascii=False).encode()
        headers = {
            "Host": url.netloc.decode("ascii"),
            "Content-Type": "application/json",
            "User-Agent": f"envparity/{__version__}",
            "Envparity-Delivery": delivery,
            "Envparity-Signature": signature(self._secret, body, now),
        }
        anyio.run(partial(_post, url, addresses, body, headers, now, self._timeout))


def signature(secret: str, body: bytes, now: datetime) -> str:
    """The header by which a receiver knows that a body is this server's, and fresh."""
    moment = int(now.timestamp())
    signed = hmac.new(secret.encode(), f"{moment}.".encode() + body, "sha256").hexdigest()
    return f"t={moment},v1={signed}"


def parse_address(address: str) -> httpx.URL:
    """The address of a webhook; raises Refused for what is not http or https, or has a user and password in it."""
    if len(address) > _MAX_URL or not address.isprintable() or " " in address or "\\" in address:
        raise Refused("the address is too long, or has characters that no URL has")
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, UnicodeError) as problem:
        raise Refused(f"the address is not a URL: {problem}") from None
    if url.scheme not in _PORTS:
        raise Refused(f"a webhook's address begins with https:// or http://, not with {url.scheme[:20] or 'nothing'}:")
    if url.userinfo:
        raise Refused("a webhook's address has no user and password in it", "the signature says who sends")
    if not url.host or not 0 < port_of(url) < 65536:
        raise Refused("the address names no host, or a port that there is not")
    return url


def host_of(url: httpx.URL) -> str:
    """The host as the resolver and the certificate have it."""
    return url.raw_host.decode("ascii")


def port_of(url: httpx.URL) -> int:
    """The port, also where the address does not name it."""
    return _PORTS[url.scheme] if url.port is None else url.port


async def _post(
    url: httpx.URL, addresses: tuple[str, ...], body: bytes, headers: Mapping[str, str], now: datetime, timeout: float
) -> None:
    """Post to the first of the addresses that can be connected to: certificate and Host are the name's."""
    try:
        with anyio.fail_after(timeout):
            async with httpx.AsyncClient(
                verify=httpx.create_ssl_context(), trust_env=False, follow_redirects=False, timeout=timeout
            ) as client:
                for last, address in zip((*[False] * (len(addresses) - 1), True), addresses, strict=True):
                    request = client.build_request(
                        "POST", url.copy_with(host=address), content=body, headers=headers,
                        extensions={"sni_hostname": host_of(url)},
                    )  # fmt: skip
                    try:
                        response = await client.send(request, stream=True)
                    except httpx.ConnectError:
                        if last:
                            raise
                        continue
                    await _finish(response)
                    return judge(response.status_code, response.headers, now)
    except TimeoutError:
        raise SendError(f"no answer within {timeout:g} seconds", permanent=False) from None
    except (httpx.HTTPError, ssl.SSLError) as problem:
        raise SendError(f"not delivered: {problem or type(problem).__name__}", permanent=False) from None


async def _finish(response: httpx.Response) -> None:
    """Read the answer, of which nothing is needed, as far as it is not too much."""
    read = 0
    try:
        async for chunk in response.aiter_raw():
            read += len(chunk)
            if read > MAX_ANSWER:
                return
    finally:
        await response.aclose()


def judge(status: int, headers: Mapping[str, str], now: datetime) -> None:
    """Return for an answer that says: received; raises SendError for any other."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if status < HTTPStatus.BAD_REQUEST:  # what is signed for one address goes to no other
        raise SendError(f"the receiver answered {status}: redirects are not followed", permanent=True)
    permanent = status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _MAY_PASS
    raise SendError(f"the receiver answered {status}", permanent, _retry_after(headers.get("retry-after", ""), now))


def _retry_after(text: str, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or as a date."""
    if text.isascii() and text.isdigit():
        return float(text[:10])
    try:
        return (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError):  # no date; or one without a zone
        return None


def check_webhook(address: str, allowed: Networks, resolve: Resolve = resolve) -> None:
    """Raise UsageError for an address that could never be sent to, CannotTell for a name that has none now."""
    url = parse_address(address)
    vetted(host_of(url), port_of(url), allowed, resolve)
