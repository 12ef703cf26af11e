"""Tests of references: an agent may send any text, and only what is a tag in a registry is asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_server.tags.references import TagReference, addresses, parsed


@pytest.mark.parametrize(
    ("text", "registry", "name", "tag"),
    [
        ("docker.io/library/ubuntu:latest", "docker.io", "library/ubuntu", "latest"),
        ("127.0.0.1:5000/shop/web:1.2_x-Y", "127.0.0.1:5000", "shop/web", "1.2_x-Y"),
        ("ghcr.io/a__b/c-d.e:v1", "ghcr.io", "a__b/c-d.e", "v1"),
    ],
)
def test_a_tag_is_read_in_its_parts(text: str, registry: str, name: str, tag: str) -> None:
    assert parsed(text) == TagReference(registry, name, tag)


@pytest.mark.parametrize(
    "text",
    [
        "ubuntu",
        "docker.io/library/ubuntu",
        f"docker.io/library/ubuntu@sha256:{'0' * 64}",
        f"docker.io/library/ubuntu:1@sha256:{'0' * 64}",
        "docker.io/../../secrets:1",
        "docker.io/a/../b:1",
        "docker.io/a?x=:1",
        "user@host/a:1",
        "docker.io/a:1\n",
        f"docker.io/{'a' * 600}:1",
    ],
)
def test_what_is_no_tag_in_a_registry_is_not_asked_for(text: str) -> None:
    assert parsed(text) is None


@given(st.text(alphabet="ab./:@_-?#%\\\n é0", max_size=40))
def test_no_text_leaves_the_path_of_its_repository(text: str) -> None:
    found = parsed(text)
    if found:
        assert f"{found.registry}/{found.name}:{found.tag}" == text
        assert not set(f"{found.name}{found.tag}") & set("?#%@\\\n ")
        assert ".." not in found.name


def test_a_registry_is_at_its_own_name_or_where_the_setting_says() -> None:
    told = addresses(["docker.io", "ghcr.io", "127.0.0.1:5000=http://127.0.0.1:5000/", "a.test=https://b.test/c"])
    assert told == {
        "docker.io": "https://registry-1.docker.io",
        "ghcr.io": "https://ghcr.io",
        "127.0.0.1:5000": "http://127.0.0.1:5000",
        "a.test": "https://b.test/c",
    }
