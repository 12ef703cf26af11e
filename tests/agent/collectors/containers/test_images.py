"""Checks that each digest carries its kind, and that content is equal across engines."""

from hashlib import sha256
from typing import Any

import pytest

from envparity_agent.collectors.containers.images import (
    CONTAINERD,
    GRAPHDRIVER,
    chain_id,
    identity,
    normal_reference,
    store,
)
from tests.agent.collectors.answers import (
    CONFIG_DIGEST,
    INDEX_DIGEST,
    INFO_CONTAINERD,
    INFO_GRAPHDRIVER,
    MANIFEST_DIGEST,
    OCI_INDEX,
    OCI_MANIFEST,
    containerd_image,
    image,
    layer,
)

KINDS = ("config", "index", "manifest")


def digests(found: dict[str, Any]) -> dict[str, Any]:
    return {kind: found[kind] for kind in KINDS if kind in found}


@pytest.mark.parametrize(
    ("info", "kind"),
    [
        (INFO_GRAPHDRIVER, GRAPHDRIVER),
        (INFO_CONTAINERD, CONTAINERD),
        ({"DriverStatus": None}, GRAPHDRIVER),
        ({}, GRAPHDRIVER),
        ({"DriverStatus": [["driver-type", "another"]]}, GRAPHDRIVER),
    ],
)
def test_the_store_is_told_by_the_drivers_status(info: dict[str, Any], kind: str) -> None:
    assert store(info) == kind


def test_the_id_of_a_graphdriver_image_is_its_config() -> None:
    found = identity(image(), GRAPHDRIVER, None)
    assert digests(found) == {"config": CONFIG_DIGEST}
    assert found["fields"] == ("config=Image.Id",)
    assert found["platform"] == "linux/amd64"
    assert found["repo_digests"] == (f"registry.example:5000/shop/web@{INDEX_DIGEST}",)


def test_the_id_of_a_podman_image_is_the_same_without_its_prefix() -> None:
    podman = image(CONFIG_DIGEST.removeprefix("sha256:"))
    assert digests(identity(podman, GRAPHDRIVER, None)) == {"config": CONFIG_DIGEST}


def test_the_id_of_a_containerd_image_is_no_config() -> None:
    found = identity(containerd_image(), CONTAINERD, MANIFEST_DIGEST)
    assert digests(found) == {"index": INDEX_DIGEST, "manifest": MANIFEST_DIGEST}
    assert found["fields"] == ("index=Image.Descriptor.digest", "manifest=ImageManifestDescriptor.digest")


@pytest.mark.parametrize("media_type", [OCI_MANIFEST, "application/vnd.docker.distribution.manifest.v2+json"])
def test_a_descriptor_of_one_platform_is_a_manifest(media_type: str) -> None:
    single = image(MANIFEST_DIGEST, Descriptor={"mediaType": media_type, "digest": MANIFEST_DIGEST})
    assert digests(identity(single, CONTAINERD, None)) == {"manifest": MANIFEST_DIGEST}


@pytest.mark.parametrize("media_type", [OCI_INDEX, "application/vnd.docker.distribution.manifest.list.v2+json"])
def test_a_descriptor_of_several_platforms_is_an_index(media_type: str) -> None:
    several = image(INDEX_DIGEST, Descriptor={"mediaType": media_type, "digest": INDEX_DIGEST})
    assert digests(identity(several, CONTAINERD, None)) == {"index": INDEX_DIGEST}


def test_a_containerd_id_of_an_old_api_is_of_no_certain_kind() -> None:
    found = identity(image(INDEX_DIGEST), CONTAINERD, None)
    assert digests(found) == {}
    assert found["content"] == identity(image(), GRAPHDRIVER, None)["content"]


def test_a_chain_is_folded_as_the_oci_specification_says() -> None:
    first, second, third = layer(1), layer(2), layer(3)
    two = f"sha256:{sha256(f'{first} {second}'.encode()).hexdigest()}"
    three = f"sha256:{sha256(f'{two} {third}'.encode()).hexdigest()}"
    assert chain_id([]) == ""
    assert chain_id([first]) == first
    assert chain_id([first, second]) == two
    assert chain_id([first, second, third]) == three


def content(**changes: Any) -> Any:
    return identity(image(**changes), GRAPHDRIVER, None)["content"]


def test_content_is_equal_under_every_store_and_name() -> None:
    renamed = image("e" * 64, RepoTags=[], RepoDigests=[], Created="2031")
    assert content() == identity(containerd_image(), CONTAINERD, MANIFEST_DIGEST)["content"]
    assert content() == identity(renamed, GRAPHDRIVER, None)["content"]


def test_neither_the_order_of_variables_nor_a_label_nor_an_empty_field_is_content() -> None:
    config = {"Env": ["A=1", "PATH=/usr/bin"], "Cmd": ["serve"], "Labels": {"built": "tomorrow"}, "Volumes": None}
    assert content(Config=config) == content()


@pytest.mark.parametrize(
    "changes",
    [
        {"RootFS": {"Layers": [layer(2), layer(1)]}},
        {"RootFS": {"Layers": [layer(1)]}},
        {"Architecture": "arm64"},
        {"Variant": "v8"},
        {"Config": {"Env": ["PATH=/usr/bin", "A=2"], "Cmd": ["serve"]}},
        {"Config": {"Env": ["PATH=/usr/bin", "A=1"], "Cmd": ["serve", "--debug"]}},
        {"Config": {"Env": ["PATH=/usr/bin", "A=1"], "Entrypoint": ["serve"]}},
        {"Config": {"Env": ["PATH=/usr/bin", "A=1"], "Cmd": ["serve"], "User": "nobody"}},
    ],
    ids=str,
)
def test_layers_platform_and_behaviour_are_content(changes: dict[str, Any]) -> None:
    assert content(**changes) != content()


def test_an_image_without_layers_or_config_has_content_all_the_same() -> None:
    assert content(RootFS=None, Config=None) == content(RootFS={}, Config={})


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("ubuntu", "docker.io/library/ubuntu:latest"),
        ("ubuntu:22.04", "docker.io/library/ubuntu:22.04"),
        ("shop/web", "docker.io/shop/web:latest"),
        ("host:5000/x", "host:5000/x:latest"),
        ("host:5000/x:1", "host:5000/x:1"),
        ("localhost/x", "localhost/x:latest"),
        (f"x@{CONFIG_DIGEST}", f"docker.io/library/x@{CONFIG_DIGEST}"),
        (f"host:5000/x:1.4@{CONFIG_DIGEST}", f"host:5000/x:1.4@{CONFIG_DIGEST}"),
        ("docker.io/library/ubuntu:latest", "docker.io/library/ubuntu:latest"),
        (CONFIG_DIGEST.removeprefix("sha256:"), CONFIG_DIGEST.removeprefix("sha256:")),
        ("Not A Reference", "Not A Reference"),
        ("", ""),
    ],
)
def test_a_reference_is_told_in_full_and_what_is_none_as_it_stands(text: str, full: str) -> None:
    assert normal_reference(text) == full
