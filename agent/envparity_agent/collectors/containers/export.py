"""Copies what collectors read out of an image that nothing runs, through the engine's export of it.

A layer is known by its DiffID, the hash of what it holds: that is in the image's own list of layers, and the same in
every layout of an export, be it that of `docker save`, of Podman or of OCI, with the layers compressed or not.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from tempfile import TemporaryDirectory
from typing import IO, Any

import docker

from envparity_agent.collectors.containers.streams import INVALID, answer, entries, faults_told, unpacked
from envparity_agent.collectors.containers.tree import Copy, Layer
from envparity_agent.collectors.reads import Wanted
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason

SILENCE_SECONDS = 600.0  # before it sends anything, Docker writes the whole export to its own disk


@contextmanager
def exported(client: docker.APIClient, image: Mapping[str, Any], wanted: Wanted) -> Iterator[str]:
    """A directory with the tree of an inspected image, of its files only those that are wanted; raises Unreadable."""
    order: Sequence[str] = (image.get("RootFS") or {}).get("Layers") or ()
    with TemporaryDirectory(prefix="envparity-") as place:
        copy = Copy(place, wanted)
        with faults_told("export"), answer(client, f"/images/{image['Id']}/get", SILENCE_SECONDS) as chunks:
            layers, unsupported = _layers(copy, chunks, frozenset(order))
            if not layers.keys() >= set(order):
                raise Unreadable("export", Reason.UNSUPPORTED if unsupported else Reason.INVALID)
            root = copy.make(layers[diff_id] for diff_id in order)
        yield root


def _layers(copy: Copy, chunks: Iterator[bytes], wanted: frozenset[str]) -> tuple[dict[str, Layer], bool]:
    """DiffID -> layer, and whether there are some in a compression that cannot be read."""
    layers: dict[str, Layer] = {}
    unsupported = False
    for _, content in entries(chunks):
        if content is None:
            continue
        try:
            diff_id, layer = _layer(copy, content)
        except Unreadable as problem:
            if problem.reason != Reason.UNSUPPORTED:
                raise
            unsupported = True
            continue
        except INVALID:
            continue  # a configuration, a manifest, a signature; or a broken layer, which is missed in the end
        if diff_id in wanted:
            layers[diff_id] = layer
    return layers, unsupported


def _layer(copy: Copy, content: IO[bytes]) -> tuple[str, Layer]:
    """The DiffID and the layer of a file that may be one."""
    digest = sha256()

    def hashed() -> Iterator[bytes]:
        for chunk in chunks:
            digest.update(chunk)
            yield chunk

    chunks = unpacked(content)
    layer = copy.read(hashed(), layered=True)
    for chunk in chunks:  # what follows the end of an archive is part of the layer
        digest.update(chunk)
    return f"sha256:{digest.hexdigest()}", layer
