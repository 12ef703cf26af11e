"""Makes tar archives: of a container's files, of the layers of an image, and exports of images in either layout."""

import gzip
import io
import json
import tarfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

Entry = tuple[tarfile.TarInfo, bytes]


def entry(name: str, type: bytes = tarfile.REGTYPE, content: bytes = b"", link: str = "") -> Entry:
    """One entry of a tar archive."""
    found = tarfile.TarInfo(name)
    found.type, found.size, found.linkname, found.mode = type, len(content), link, 0o755
    return found, content


def tar(*entries: Entry) -> bytes:
    """A tar archive of these entries."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for found, content in entries:
            archive.addfile(found, io.BytesIO(content))
    return written.getvalue()


def tar_of(root: Path) -> bytes:
    """A tar archive of a directory."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        archive.add(root, arcname="./")
    return written.getvalue()


def diff_id(layer: bytes) -> str:
    """The hash by which an image lists a layer."""
    return f"sha256:{sha256(layer).hexdigest()}"


def saved(*layers: bytes) -> bytes:
    """What `docker save` of Docker 20.10 gives: a directory for each layer, then the manifest."""
    parts: list[Entry] = []
    names = []
    for number, layer in enumerate(layers):
        name = f"{number:064x}"
        names.append(f"{name}/layer.tar")
        parts += [
            entry(name, tarfile.DIRTYPE),
            entry(f"{name}/VERSION", content=b"1.0"),
            entry(f"{name}/json", content=json.dumps({"id": name, "padding": "x" * 600}).encode()),
            entry(names[-1], content=layer),
        ]
    manifest = [{"Config": "c.json", "RepoTags": ["shop/web:1.4"], "Layers": names}]
    return tar(
        *parts, entry("manifest.json", content=json.dumps(manifest).encode()), entry("repositories", content=b"{}")
    )


def oci(*layers: bytes, compressed: Sequence[bytes] | None = None) -> bytes:
    """What an engine with containerd's store gives: blobs by their digests, the layers compressed."""
    blobs = compressed if compressed is not None else [gzip.compress(layer) for layer in layers]
    configuration = json.dumps({"rootfs": {"diff_ids": [diff_id(layer) for layer in layers]}, "x": "x" * 600}).encode()
    return tar(
        entry("oci-layout", content=b'{"imageLayoutVersion": "1.0.0"}'),
        *(entry(f"blobs/sha256/{sha256(blob).hexdigest()}", content=blob) for blob in (configuration, *blobs)),
        entry("index.json", content=b'{"schemaVersion": 2, "manifests": []}'),
    )
