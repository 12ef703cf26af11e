"""Asks one registry where a tag points: HEAD, and only where the digest is a new one the manifests behind it.

Registries count what is fetched, not what is asked for by HEAD. No redirect is followed. The registry itself is named
by the operator; the token service that it names is not, so it is guarded like the receiver of a webhook.
https://github.com/opencontainers/distribution-spec, https://distribution.github.io/distribution/spec/auth/token/
"""

import json
import re
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import anyio
import anyio.to_thread
import httpx

from envparity_agent import __version__
from envparity_agent.errors import CannotTell, EnvparityError
from envparity_server.notify.egress import Refused, Resolve, resolve, vetted
from envparity_server.notify.interface import Networks
from envparity_server.storage.tags import Pointed
from envparity_server.tags.references import TagReference

TIMEOUT = 20.0  # seconds for all that is asked about one tag
MAX_ANSWER = 4 * 1024 * 1024  # bytes: what registries take as a manifest
_MAX_TOKEN = 16 * 1024
_MAX_CHALLENGE = 4096
_PORTS = {"http": 80, "https": 443}
_INDEX = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_MANIFEST = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_ACCEPT = ", ".join((*_INDEX, *_MANIFEST))
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PARAMETER = re.compile(r'([a-z_]+)="([^"]*)"', re.IGNORECASE)
_NO_VARIANT = {"arm64": "v8"}  # what an architecture is without a variant


class RegistryProblem(CannotTell):
    """A registry gave no answer that can be used; `is_away` where it would give none about any other tag either."""

    def __init__(self, message: str, is_away: bool = False) -> None:
        super().__init__(message)
        self.is_away = is_away


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: httpx.Headers
    body: bytes


@dataclass(frozen=True)
class Limits:
    """What a registry may take, and where its token service may be although it is not on the public internet."""

    allowed: Networks = ()
    timeout: float = TIMEOUT
    resolve: Resolve = resolve


@asynccontextmanager
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """What all registries are asked with: no redirects, no cookies, no proxy or password of this machine.

    No connection is used twice: it is one to an address, and was checked for one of the names that lead there.
    """
    async with httpx.AsyncClient(
        verify=httpx.create_ssl_context(), trust_env=False, follow_redirects=False, timeout=TIMEOUT,
        limits=httpx.Limits(max_keepalive_connections=0),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
    ) as opened:  # fmt: skip
        yield opened


async def pointed_at(
    client: httpx.AsyncClient,
    address: str,
    reference: TagReference,
    platforms: Sequence[str],
    known: Pointed | None,
    limits: Limits,
) -> Pointed:
    """Where a tag points now, with the digests for some platforms; raises RegistryProblem.

    `known` is what it answered last: what has that digest is not fetched again.
    """
    try:
        with anyio.fail_after(limits.timeout):
            registry = _Registry(client, httpx.URL(address), reference.name, limits)
            return await registry.pointed_at(reference.tag, platforms, known)
    except TimeoutError:
        raise RegistryProblem(f"no answer within {limits.timeout:g} seconds", is_away=True) from None
    except httpx.ConnectError as problem:
        raise RegistryProblem(f"cannot connect: {problem or type(problem).__name__}", is_away=True) from None
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as problem:
        raise RegistryProblem(f"no answer: {problem or type(problem).__name__}") from None


class _Registry:
    """One repository of a registry, with the token that it asked for."""

    def __init__(self, client: httpx.AsyncClient, base: httpx.URL, name: str, limits: Limits) -> None:
        self._client, self._base, self._name, self._limits = client, base, name, limits
        self._token = ""

    async def pointed_at(self, tag: str, platforms: Sequence[str], known: Pointed | None) -> Pointed:
        answer = await self._asked("HEAD", tag)
        digest = answer.headers.get("docker-content-digest", "")
        if not _DIGEST.fullmatch(digest):
            raise RegistryProblem("the registry told no sha256 digest")
        kind = _kind(answer.headers.get("content-type", ""))
        wanted = [""] if kind == "manifest" else list(platforms)
        if known and (known.digest, known.kind) == (digest, kind) and known.platforms.keys() >= set(wanted):
            return known
        document = await self._fetched(digest)
        if kind == "manifest":
            return Pointed(digest, kind, {"": {"manifest": digest, **_config(document)}})
        found: dict[str, dict[str, str]] = {}
        for platform in wanted:
            manifest = _of_platform(document, platform)
            found[platform] = {"manifest": manifest, **_config(await self._fetched(manifest))} if manifest else {}
        return Pointed(digest, kind, found)

    async def _fetched(self, digest: str) -> dict[str, Any]:
        """A manifest or an index by its digest, and nothing else than that."""
        answer = await self._asked("GET", digest)
        if f"sha256:{sha256(answer.body).hexdigest()}" != digest:
            raise RegistryProblem("the registry sent something else than the digest that it told")
        return _document(answer.body)

    async def _asked(self, method: str, what: str) -> _Answer:
        url = self._base.copy_with(path=f"{self._base.path.rstrip('/')}/v2/{self._name}/manifests/{what}")
        headers = {"Accept": _ACCEPT}
        addresses = await self._resolved(self._base)
        bearer = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        answer = await self._sent(method, url, addresses, {**headers, **bearer})
        if answer.status == HTTPStatus.UNAUTHORIZED and not self._token:
            self._token = await self._granted(answer.headers.get("www-authenticate", ""))
            bearer = {"Authorization": f"Bearer {self._token}"}
            answer = await self._sent(method, url, addresses, {**headers, **bearer})
        _check(answer.status)
        return answer

    async def _granted(self, challenge: str) -> str:
        """The token that anybody gets who asks for it, of the service that the registry names."""
        scheme, _, rest = challenge[:_MAX_CHALLENGE].partition(" ")
        told = dict(_PARAMETER.findall(rest))
        if scheme.lower() != "bearer" or "realm" not in told:
            raise RegistryProblem("the registry wants a password: it is asked as anybody only")
        realm = httpx.URL(told["realm"])
        query = {"service": told.get("service", ""), "scope": f"repository:{self._name}:pull"}
        url = realm.copy_merge_params({name: text for name, text in query.items() if text})
        answer = await self._sent("GET", url, await self._service(realm), {"Accept": "application/json"})
        _check(answer.status, "its token service")
        document = _document(answer.body)
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or len(token) > _MAX_TOKEN:
            raise RegistryProblem("its token service gave no token")
        return token

    async def _service(self, realm: httpx.URL) -> Sequence[str]:
        """The addresses of the token service: the registry's own, or public ones over https."""
        if _origin(realm) == _origin(self._base):
            return await self._resolved(self._base)
        if realm.scheme != "https" or realm.userinfo or not realm.host:
            raise RegistryProblem("its token service is neither the registry itself nor asked over https")
        limits = self._limits
        try:
            return await anyio.to_thread.run_sync(
                vetted, _host(realm), _port(realm), limits.allowed, limits.resolve, abandon_on_cancel=True
            )
        except Refused:
            raise RegistryProblem(
                f"its token service {_host(realm)[:255]} has an address that is not of the public internet: "
                "the setting webhook_networks allows networks of your own"
            ) from None
        except EnvparityError as problem:
            raise RegistryProblem(f"its token service: {problem}") from None

    async def _resolved(self, url: httpx.URL) -> Sequence[str]:
        try:
            return await anyio.to_thread.run_sync(self._limits.resolve, _host(url), _port(url), abandon_on_cancel=True)
        except EnvparityError as problem:
            raise RegistryProblem(str(problem), is_away=True) from None

    async def _sent(self, method: str, url: httpx.URL, addresses: Sequence[str], headers: Mapping[str, str]) -> _Answer:
        """One request to the first of the addresses that can be connected to: certificate and Host are the name's."""
        problem: httpx.ConnectError | None = None
        for address in addresses:
            request = self._client.build_request(
                method, url.copy_with(host=address), extensions={"sni_hostname": _host(url)},
                headers={
                    "Host": url.netloc.decode("ascii"), "User-Agent": f"envparity/{__version__}",
                    "Accept-Encoding": "identity", **headers,
                },
            )  # fmt: skip
            try:
                response = await self._client.send(request, stream=True)
            except httpx.ConnectError as one:
                problem = one
                continue
            return _Answer(response.status_code, response.headers, await _body(response))
        raise problem or RegistryProblem("the registry has no address", is_away=True)


async def _body(response: httpx.Response) -> bytes:
    """The answer as it came, as far as it is not too much."""
    read = bytearray()
    try:
        async for chunk in response.aiter_raw():
            read += chunk
            if len(read) > MAX_ANSWER:
                raise RegistryProblem(f"the registry sent more than {MAX_ANSWER // 1024 // 1024} MiB")
    finally:
        await response.aclose()
    return bytes(read)


def _check(status: int, who: str = "the registry") -> None:
    if status == HTTPStatus.OK:
        return
    words = {
        HTTPStatus.UNAUTHORIZED: "it lets nobody ask without a password",
        HTTPStatus.FORBIDDEN: "it lets nobody ask without a password",
        HTTPStatus.NOT_FOUND: "it has no such tag, or does not show it to everybody",
        HTTPStatus.TOO_MANY_REQUESTS: "it was asked too often",
    }
    redirected = "redirects are not followed" if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST else ""
    why = next((text for code, text in words.items() if code == status), redirected)
    is_away = status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    raise RegistryProblem(f"{who} answered {status}{f': {why}' if why else ''}", is_away)


def _kind(media_type: str) -> str:
    plain = media_type.partition(";")[0].strip().lower()
    if plain in _INDEX:
        return "index"
    if plain in _MANIFEST:
        return "manifest"
    raise RegistryProblem(f"the tag is no image of a kind that is known: {plain[:80]!r}")


def _document(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RegistryProblem("the registry sent no JSON object")
    return found


def _config(manifest: Mapping[str, Any]) -> dict[str, str]:
    config = manifest.get("config")
    digest = config.get("digest") if isinstance(config, dict) else None
    return {"config": digest} if isinstance(digest, str) and _DIGEST.fullmatch(digest) else {}


def _of_platform(index: Mapping[str, Any], platform: str) -> str | None:
    """The digest of the one manifest that an index has for os/architecture/variant; None for none, or several."""
    listed = index.get("manifests")
    found = {
        one["digest"]
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict) and isinstance(one.get("digest"), str) and _DIGEST.fullmatch(one["digest"])
        and isinstance(one.get("platform"), dict) and _fits(one["platform"], platform)
    }  # fmt: skip
    return found.pop() if len(found) == 1 else None


def _fits(listed: Mapping[str, Any], platform: str) -> bool:
    system, architecture, variant = [*platform.split("/"), "", "", ""][:3]
    if (listed.get("os"), listed.get("architecture")) != (system, architecture):
        return False
    usual = _NO_VARIANT.get(architecture, "")
    return (listed.get("variant") or usual) == (variant or usual)


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, _host(url), _port(url)


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii")


def _port(url: httpx.URL) -> int:
    return url.port or _PORTS.get(url.scheme, 0)
