"""Tests of how a registry is asked: by which requests, with which token, and what no registry can make of it."""

import socket
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest

from envparity_server.storage.tags import Pointed
from envparity_server.tags.references import TagReference
from envparity_server.tags.registry import MAX_ANSWER, Limits, RegistryProblem, client, pointed_at
from tests.server.notify.receivers import LOOPBACK
from tests.server.tags.images import AMD64, INDEX, MANIFEST, Document, config, digest_of, index, manifest
from tests.server.tags.registries import TOKEN, Registry, Reply, registry

ONE = manifest("one")
ARM64 = {"os": "linux", "architecture": "arm64", "variant": "v8"}


def ask(
    held: Registry,
    platforms: Sequence[str] = ("linux/amd64",),
    known: Pointed | None = None,
    limits: Limits | None = None,
) -> Pointed:
    """Where shop/web:1 of a registry points."""

    async def once() -> Pointed:
        async with client() as http:
            reference = TagReference("registry.test", "shop/web", "1")
            return await pointed_at(http, held.url, reference, platforms, known, limits or Limits())

    return anyio.run(once)


def refused(held: Registry, limits: Limits | None = None) -> RegistryProblem:
    with pytest.raises(RegistryProblem) as problem:
        ask(held, limits=limits)
    return problem.value


def test_a_lone_manifest_tells_its_configuration_too() -> None:
    with registry() as held:
        held.push("shop/web", "1", ONE)
        found = ask(held)
    assert found == Pointed(ONE.digest, "manifest", {"": {"manifest": ONE.digest, "config": digest_of(config("one"))}})
    assert held.asked() == ["HEAD shop/web/manifests/1", f"GET shop/web/manifests/{ONE.digest}"]
    for media_type in (INDEX, MANIFEST, "application/vnd.docker.distribution.manifest.list.v2+json"):
        assert media_type in held.got[0][2]["Accept"]


def test_of_an_index_only_the_platforms_that_run_are_fetched() -> None:
    attested = {"os": "unknown", "architecture": "unknown"}
    two = manifest("two")
    with registry() as held:
        held.push("shop/web", "1", ONE, two, index((ONE, AMD64), (two, ARM64), (manifest("proof"), attested)))
        found = ask(held, ["linux/amd64", "linux/arm64", "linux/s390x"])
    assert found.kind == "index"
    assert {name: own.get("manifest") for name, own in found.platforms.items()} == {
        "linux/amd64": ONE.digest,
        "linux/arm64": two.digest,  # v8 is what arm64 means
        "linux/s390x": None,
    }


def test_of_two_manifests_for_one_platform_none_is_taken() -> None:
    with registry() as held:
        held.push("shop/web", "1", ONE, index((ONE, AMD64), (manifest("two"), AMD64)))
        assert ask(held).platforms == {"linux/amd64": {}}


def test_a_digest_that_is_known_is_not_fetched_again() -> None:
    with registry() as held:
        held.push("shop/web", "1", ONE, index((ONE, AMD64)))
        known = ask(held)
        held.got.clear()
        assert ask(held, known=known) == known
        assert held.asked() == ["HEAD shop/web/manifests/1"]
        assert ask(held, ["linux/arm64"], known).platforms == {"linux/arm64": {}}


def test_a_token_for_anybody_is_asked_for_and_is_for_pulling_this_repository_only() -> None:
    with registry(needs_token=True) as held:
        held.push("shop/web", "1", ONE)
        assert ask(held).digest == ONE.digest
    assert [line.partition(" ")[2].partition("/")[0] for line in held.asked()] == ["shop", "", "shop", "shop"]
    (asked,) = (path for _, path, _ in held.got if path.startswith("/token"))
    assert parse_qs(urlsplit(asked).query) == {"service": ["registry.test"], "scope": ["repository:shop/web:pull"]}
    assert [headers.get("Authorization") for _, _, headers in held.got] == [None, None, *[f"Bearer {TOKEN}"] * 2]


@pytest.mark.parametrize(
    ("challenge", "words"),
    [
        ('Basic realm="x"', "wants a password"),
        ("", "neither the registry itself"),  # set below: another port, not over https
        ('Bearer realm="https://user:secret@127.0.0.1/token"', "neither the registry itself"),
        ('Bearer realm="https://127.0.0.1:1/token"', "webhook_networks"),
        ('Bearer realm="https://169.254.169.254/latest/meta-data"', "webhook_networks"),
        ('Bearer realm="file:///etc/passwd"', "neither the registry itself"),
        ('Bearer realm="https://[::1/"', "no answer"),
        ('Bearer service="x"', "wants a password"),
    ],
)
def test_no_token_service_is_asked_that_is_not_guarded(challenge: str, words: str) -> None:
    with registry() as other, registry(needs_token=True) as held:
        held.challenge = challenge or f'Bearer realm="{other.url}/token"'
        held.push("shop/web", "1", ONE)
        assert words in str(refused(held))
        assert other.got == []
        assert len(held.got) == 1


def test_a_token_service_whose_name_leads_into_a_private_network_is_not_asked() -> None:
    names = {"127.0.0.1": ["127.0.0.1"], "auth.test": ["10.0.0.1"]}
    with registry(needs_token=True, challenge='Bearer realm="https://auth.test/token"') as held:
        problem = refused(held, Limits(resolve=lambda host, _: names[host]))
    assert "auth.test" in str(problem)
    assert "not of the public internet" in str(problem)


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What serves auth.test, by a certificate that this test believes."""
    path = tmp_path / "auth.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=auth.test", "-addext", "subjectAltName=DNS:auth.test",
         "-keyout", path.with_suffix(".key"), "-out", path],
        check=True, capture_output=True,
    )  # fmt: skip
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, path.with_suffix(".key"))
    return context


@pytest.mark.parametrize("name", ["auth.test", "another.test"])
def test_a_token_service_elsewhere_is_asked_over_https_under_its_own_name_alone(tls: ssl.SSLContext, name: str) -> None:
    limits = Limits(LOOPBACK, resolve=lambda *_: ["127.0.0.1"])
    with registry(tls) as service, registry(needs_token=True) as held:
        held.challenge = f'Bearer realm="https://{name}:{service.port}/token"'
        held.push("shop/web", "1", ONE)
        if name == "auth.test":
            assert ask(held, limits=limits).digest == ONE.digest
            assert [headers["Host"] for _, _, headers in service.got] == [f"auth.test:{service.port}"]
        else:
            assert "certificate" in str(refused(held, limits)).lower()
            assert service.got == []


@pytest.mark.parametrize("body", [b'{"token": 1}', b'{"token": "a\\nb"}', b"[]", b"[" * 100000, b"x", b"{}"])
def test_what_is_no_token_is_not_sent(body: bytes) -> None:
    def instead(_: Registry, __: str, path: str) -> Reply | None:
        return Reply(body=body) if path.startswith("/token") else None

    with registry(needs_token=True, instead=instead) as held:
        refused(held)
        assert len(held.got) == 2


def test_a_redirect_is_not_followed_with_or_without_the_token() -> None:
    def instead(held: Registry, _: str, path: str) -> Reply | None:
        return Reply(307, {"Location": f"{other.url}{path}"}) if len(held.got) == 3 else None

    with registry() as other, registry(needs_token=True, instead=instead) as held:
        assert "redirects are not followed" in str(refused(held))
        assert other.got == []


def replying(method: str, reply: Reply) -> Registry:
    return Registry(instead=lambda _, asked, __: reply if asked == method else None)


@pytest.mark.parametrize(
    ("method", "reply", "words"),
    [
        ("HEAD", Reply(200, {"Content-Type": MANIFEST}), "no sha256 digest"),
        ("HEAD", Reply(200, {"Content-Type": MANIFEST, "Docker-Content-Digest": "sha256:../../x"}), "no sha256"),
        ("HEAD", Reply(200, {"Content-Type": "text/html", "Docker-Content-Digest": ONE.digest}), "no image"),
        ("HEAD", Reply(200, {"Content-Type": MANIFEST, "Docker-Content-Digest": manifest("no").digest}), "404"),
        ("GET", Reply(200, {"Content-Type": MANIFEST}, b"{}"), "something else than the digest"),
        ("GET", Reply(200, {"Content-Type": MANIFEST}, b"x" * (MAX_ANSWER + 1)), "more than 4 MiB"),
        ("HEAD", Reply(404), "no such tag"),
        ("HEAD", Reply(429), "asked too often"),
        ("HEAD", Reply(503), "503"),
        ("HEAD", Reply(401), "wants a password"),
    ],
)
def test_an_answer_that_is_wrong_is_a_problem(method: str, reply: Reply, words: str) -> None:
    with registry(instead=replying(method, reply).instead) as held:
        held.push("shop/web", "1", ONE)
        problem = refused(held)
    assert words in str(problem)
    assert problem.is_away == (reply.status in (429, 503))


@pytest.mark.parametrize("body", [b"[]", b'{"manifests": [1, {"digest": 5}, {"platform": "x"}]}', b'{"manifests": 3}'])
def test_a_hostile_index_is_one_without_the_platform_or_a_problem(body: bytes) -> None:
    with registry() as held:
        held.push("shop/web", "1", Document(INDEX, body))
        if body == b"[]":
            assert "no JSON object" in str(refused(held))
        else:
            assert ask(held).platforms == {"linux/amd64": {}}


def test_a_registry_that_never_answers_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:  # takes the connection, and says nothing
        held = Registry(port=listening.getsockname()[1])
        problem = refused(held, Limits(timeout=0.2))
    assert "no answer within 0.2 seconds" in str(problem)
    assert problem.is_away


def test_a_registry_that_is_not_there_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        held = Registry(port=listening.getsockname()[1])
    problem = refused(held)
    assert "cannot connect" in str(problem)
    assert problem.is_away


def test_a_cookie_of_a_registry_is_not_kept() -> None:
    def instead(held: Registry, _: str, path: str) -> Reply | None:
        found = held.documents[path.removeprefix("/v2/")]
        told = {"Content-Type": found.media_type, "Docker-Content-Digest": found.digest, "Set-Cookie": "a=b; Path=/"}
        return Reply(200, told, found.body)

    with registry(instead=instead) as held:
        held.push("shop/web", "1", ONE)
        ask(held)
    assert len(held.got) == 2
    assert not any("Cookie" in headers for _, _, headers in held.got)
