"""Tiny images as a registry holds them: manifests and indexes as bytes, with their digests."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
AMD64: Mapping[str, str] = {"os": "linux", "architecture": "amd64"}


def digest_of(content: bytes) -> str:
    """The address of bytes in a registry."""
    return f"sha256:{sha256(content).hexdigest()}"


@dataclass(frozen=True)
class Document:
    """A manifest or an index."""

    media_type: str
    body: bytes

    @property
    def digest(self) -> str:
        """Its address."""
        return digest_of(self.body)


def config(text: str) -> bytes:
    """The configuration of an image that differs by a text."""
    return json.dumps({"architecture": "amd64", "os": "linux", "author": text}).encode()


def manifest(text: str, repackaged: str = "") -> Document:
    """The manifest of an image without layers; `repackaged` makes another one of the same configuration."""
    own = config(text)
    media_type = "application/vnd.oci.image.config.v1+json"
    body: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": media_type, "digest": digest_of(own), "size": len(own)},
        "layers": [],
    }
    if repackaged:
        body["annotations"] = {"packed": repackaged}
    return Document(MANIFEST, json.dumps(body).encode())


def index(*manifests: tuple[Document, Mapping[str, str]], built: str = "") -> Document:
    """An index of manifests with their platforms; `built` stands for the attestations that move it."""
    listed = [
        {"mediaType": MANIFEST, "digest": one.digest, "size": len(one.body), "platform": dict(platform)}
        for one, platform in manifests
    ]
    body = {"schemaVersion": 2, "mediaType": INDEX, "manifests": listed, "annotations": {"built": built}}
    return Document(INDEX, json.dumps(body).encode())
