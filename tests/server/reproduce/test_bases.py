"""Checks which image a Dockerfile begins from."""

import pytest

from envparity_agent.fingerprint import Attributes, Fingerprint, Section
from envparity_server.reproduce.bases import Base, Origin, choose
from envparity_server.reproduce.target import subject
from tests.server.making import host, section
from tests.server.reproduce.samples import DEBIAN, HASH, OFFICIAL, image, python

PINNED = f"registry.example.org/web@sha256:{HASH}"


def base(*sections: Section, kind: str = "container") -> Base:
    return choose(subject(host(*sections, kind=kind)))


def of_release(**facts: str) -> str:
    return base(section("os", {"distribution": facts}), kind="root").reference


def declaring(asked: str) -> Fingerprint:
    facts: Attributes = {"specifier": asked}
    return host(Section("python/uv.lock", "declared", 2, {"@python": facts}), kind="declared")


def test_an_image_of_a_registry_is_its_own_base() -> None:
    other = f"a.example.org/web@sha256:{HASH}"
    assert base(DEBIAN, image(repo_digests=(PINNED, other))) == Base(other, Origin.OWN)


@pytest.mark.parametrize("digest", [f"localhost/web@sha256:{HASH}", "web@sha256:abc", "web:1", "we b@sha256:" + HASH])
def test_what_no_registry_has_is_no_base(digest: str) -> None:
    assert base(DEBIAN, image(repo_digests=(digest,))).reference == "debian:bookworm-slim"


def test_what_an_image_was_built_from_is_taken_where_it_was_never_published() -> None:
    assert base(DEBIAN, image(base=PINNED)) == Base(PINNED, Origin.PARENT)


def test_the_image_of_a_container_on_a_host_is_not_the_hosts() -> None:
    assert base(DEBIAN, image(repo_digests=(PINNED,)), kind="host").origin is Origin.RELEASE


@pytest.mark.parametrize(
    ("facts", "reference"),
    [
        ({"id": "debian", "version": "12", "codename": "bookworm"}, "debian:bookworm-slim"),
        ({"id": "debian", "codename": "trixie"}, "debian:trixie-slim"),
        ({"id": "ubuntu", "version": "24.04", "codename": "noble"}, "ubuntu:24.04"),
        ({"id": "alpine", "version": "3.20.3"}, "alpine:3.20.3"),
        ({"id": "fedora", "version": "41"}, "fedora:41"),
        ({"id": "rhel", "version": "9.4"}, "redhat/ubi9:9.4"),
        ({"id": "rocky", "version": "9.4"}, "rockylinux/rockylinux:9.4"),
        ({"id": "own", "version": "1"}, "own:1"),
        ({"id": "own"}, "own:latest"),
    ],
)
def test_a_release_has_an_image(facts: dict[str, str], reference: str) -> None:
    assert of_release(**facts) == reference


@pytest.mark.parametrize("facts", [{"id": "Deb ian", "version": "12"}, {"id": "own", "version": "1\nRUN x"}])
def test_a_release_that_can_be_no_image_is_none(facts: dict[str, str]) -> None:
    assert of_release(**facts) == "python:3-slim"


def test_a_python_in_usr_local_is_the_official_images() -> None:
    local = python("python/usr/local/lib/python3.12", {}, OFFICIAL)
    assert base(DEBIAN, local).reference == "python:3.12.7-slim-bookworm"
    assert base(section("os", {"distribution": {"id": "alpine", "version": "3.20.3"}}), local).reference == (
        "python:3.12.7-alpine3.20"
    )


@pytest.mark.parametrize(
    ("asked", "reference"),
    [
        (">=3.10", "python:3.10-slim"), (">=3.9,<4", "python:3.9-slim"), ("==3.11.*", "python:3.11-slim"),
        ("==3.11.4", "python:3.11.4-slim"), ("<4", "python:3-slim"), ("", "python:3-slim"), ("^3", "python:3-slim"),
    ],
)  # fmt: skip
def test_a_file_is_for_the_lowest_python_that_it_allows(asked: str, reference: str) -> None:
    assert choose(subject(declaring(asked))).reference == reference


def test_a_venv_alone_begins_from_the_python_of_its_version() -> None:
    facts: Attributes = {"role": "venv", "abi": "3.13", "version": "3.13.1"}
    assert base(python("python/home/me/.venv", {}, facts), kind="python").reference == "python:3.13.1-slim"
    unknown = python("python/home/me/.venv", {}, {"role": "venv", "version": "3.13\nRUN x"})
    assert base(unknown, kind="python").reference == "python:3-slim"
