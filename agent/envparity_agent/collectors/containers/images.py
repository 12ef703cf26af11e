"""Typed digests of one image: which sha256 is which depends on the engine's store.

Source of each rule: https://github.com/opencontainers/image-spec (config.md, image-index.md) and the engine's API
reference; `Id` is the config digest under a graphdriver store, but the target digest under a containerd store.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import docker_image.reference

from envparity_agent.canonical import canonical
from envparity_agent.fingerprint import Value

GRAPHDRIVER = "graphdriver"
CONTAINERD = "containerd"

_INDEX_TYPES = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)
# the part of the config that decides how a container behaves; Created, labels and history do not
_CONFIG = ("Env", "Entrypoint", "Cmd", "User", "WorkingDir", "ExposedPorts", "Volumes")


def store(info: Mapping[str, Any]) -> str:
    """The kind of image store, from the engine's /info."""
    drivers = [list(pair) for pair in info.get("DriverStatus") or ()]
    return CONTAINERD if ["driver-type", "io.containerd.snapshotter.v1"] in drivers else GRAPHDRIVER


def normal_reference(text: str) -> str:
    """A reference in full: `ubuntu` is `docker.io/library/ubuntu:latest`; a text that is none stays as it is."""
    try:
        parsed = docker_image.reference.Reference.parse_normalized_named(text)
    except docker_image.reference.InvalidReference:
        return text
    name = str(parsed["name"])
    tag, content = parsed["tag"], parsed["digest"]
    if not tag and not content:
        tag = "latest"
    return name + (f":{tag}" if tag else "") + (f"@{content}" if content else "")


def is_id(reference: str, identifier: str) -> bool:
    """Whether a person named the image by its id, or the beginning of it."""
    return reference.startswith("sha256:") or identifier.removeprefix("sha256:").startswith(reference)


def identity(image: Mapping[str, Any], store_kind: str, manifest: str | None) -> dict[str, Value]:
    """The typed digests of an inspected image.

    `manifest` is the container's ImageManifestDescriptor digest, where the engine gives one (API 1.48).
    """
    digests = _digests(image, store_kind)
    if manifest:
        digests["manifest"] = (manifest, "ImageManifestDescriptor.digest")
    platform = "/".join(str(image[key]) for key in ("Os", "Architecture", "Variant") if image.get(key))
    return {
        **{kind: value for kind, (value, _) in digests.items()},
        "content": content(image, platform),
        "fields": tuple(sorted(f"{kind}={field}" for kind, (_, field) in digests.items())),
        "platform": platform,
        "repo_digests": tuple(sorted(image.get("RepoDigests") or ())),
    }


def _digests(image: Mapping[str, Any], store_kind: str) -> dict[str, tuple[str, str]]:
    identifier = str(image["Id"])
    if ":" not in identifier:  # libpod omits the prefix
        identifier = f"sha256:{identifier}"
    if store_kind == GRAPHDRIVER:
        return {"config": (identifier, "Image.Id")}
    descriptor = image.get("Descriptor")
    if not descriptor:
        return {}  # an index or a manifest digest: before API 1.48 the engine does not tell which
    kind = "index" if descriptor.get("mediaType") in _INDEX_TYPES else "manifest"
    return {kind: (str(descriptor["digest"]), "Image.Descriptor.digest")}


def content(image: Mapping[str, Any], platform: str) -> str:
    """The one identity that every engine gives: ChainID of the layers, platform, and normalised config."""
    chain = chain_id((image.get("RootFS") or {}).get("Layers") or ())
    config = image.get("Config") or {}
    behaviour = {key: config[key] for key in _CONFIG if config.get(key)}
    if "Env" in behaviour:
        behaviour["Env"] = sorted(behaviour["Env"])
    return f"sha256:{sha256(canonical([chain, platform, behaviour])).hexdigest()}"


def chain_id(diff_ids: tuple[str, ...] | list[str]) -> str:
    """Fold DiffIDs into one ChainID; empty where there is no layer.

    https://github.com/opencontainers/image-spec/blob/main/config.md#layer-chainid
    """
    chain = ""
    for diff_id in diff_ids:
        chain = f"sha256:{sha256(f'{chain} {diff_id}'.encode()).hexdigest()}" if chain else diff_id
    return chain
