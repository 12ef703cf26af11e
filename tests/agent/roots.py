"""A root directory with everything that the collectors read in one, and its fingerprint."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from envparity_agent.collectors.interface import Options, Subject
from envparity_agent.fingerprint import Fingerprint, Target
from envparity_agent.root import MIB, Root
from envparity_agent.survey import survey
from tests.agent.trees import distribution, interpreter, put, shared_library, system, venv


class WatchedRoot(Root):
    """A root that remembers which files were read through it."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.read_paths: list[str] = []

    def read(self, path: str, cap: int = MIB) -> bytes:
        self.read_paths.append(path)
        return super().read(path, cap)

    @contextmanager
    def regular(self, path: str) -> Iterator[int]:
        self.read_paths.append(path)
        with super().regular(path) as descriptor:
            yield descriptor


def whole_root(root: Path) -> Path:
    """A Debian with an interpreter, a venv with distributions of every form, and broken ones."""
    system(root)
    put(
        root,
        "var/lib/dpkg/status",
        "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc\nVersion: 2.36-9\n\n"
        "Package: nginx\nStatus: install ok half-configured\nArchitecture: amd64\nVersion: 1.22\n\n",
    )
    put(root, "var/lib/dpkg/info/nginx.md5sums", "0cc175b9c0f1b6a831c399e269772661  usr/sbin/nginx\n")
    interpreter(root)
    site = venv(root, "srv/shop", configuration="home = /usr/bin\nversion = 3.11.2\n")
    distribution(site, "requests", "2.32.3")
    built = distribution(site, "markupsafe", "2.1.5", {"markupsafe/_speedups.so": "ELF"})
    put(built, "WHEEL", "Tag: cp311-cp311-linux_x86_64\nBuild: 2\n")
    local = distribution(site, "shop", "1.0")
    put(local, "direct_url.json", json.dumps({"url": "file:///srv/src", "dir_info": {"editable": True}}))
    pinned = distribution(site, "theme", "1.0")
    vcs = {"vcs": "git", "commit_id": "0123abcd", "requested_revision": "main"}
    put(pinned, "direct_url.json", json.dumps({"url": "https://git.example/theme", "vcs_info": vcs}))
    put(site, "old-1.0.egg-info/PKG-INFO", "Name: old\nVersion: 1.0\n")
    rich = distribution(site, "Rich", "1.0")
    put(rich, "METADATA", "Name: Rich\nVersion: 1.0\nRequires-Python: >=3\nRequires-Dist: six\n")
    hashes = {"sha256": "0123456789abcdef"}
    put(rich, "direct_url.json", json.dumps({"url": "https://x.example/r.whl", "archive_info": {"hashes": hashes}}))
    put(rich, "REQUESTED")
    put(site, "start.pth", "import os\n")
    mkl = {"name": "mkl", "version": "2024.0", "build": "h1_0", "channel": "main"}
    put(root, "srv/shop/conda-meta/mkl-2024.0-h1_0.json", json.dumps(mkl))
    put(site, "broken-1.0.dist-info/INSTALLER", "pip")
    venv(root, "srv/orphan", abi="3.9", configuration="home = /opt/gone/bin\nversion_info = 3.9.1\n")
    venv(root, "srv/headless", configuration="nothing = here\n")
    put(root, "home/ann/.local/lib/python3.11/site-packages/tool-1.0.dist-info/METADATA", "Name: tool\nVersion: 1.0\n")
    put(root, "etc/locale.conf", "LANG=C.UTF-8\n")
    put(root, "etc/security/limits.conf", "* soft nofile 1024\n* hard nofile 4096\n")
    put(root, "usr/lib/python3.11/lib-dynload/_ssl.so", shared_library(needed="libcrypto.so.3"))
    put(root, "usr/lib/python3.11/lib-dynload/_ctypes.so", shared_library(needed="libffi.so.8"))
    put(root, "usr/lib/python3.11/lib-dynload/_gone.so", shared_library(needed="libgone.so.1"))
    openssl = b"\x00OpenSSL 3.0.15 3 Sep 2024\x00"
    put(root, "usr/lib/x86_64-linux-gnu/libcrypto.so.3", shared_library(soname="libcrypto.so.3") + openssl)
    put(root, "var/lib/dpkg/info/libc6.list", "/.\n/usr/lib/x86_64-linux-gnu/libz.so.1\n")
    put(root, "usr/lib/x86_64-linux-gnu/libz.so.1", shared_library(needed="libc.so.6"))
    put(root, "usr/lib/x86_64-linux-gnu/libffi.so.8", shared_library(needed="libc.so.6", build_id=b""))
    for name in ("containers", "image", "network", "volumes"):
        (root / "data" / name).mkdir(parents=True)
    return root


def fingerprint_of(root: Path, engine: str | None = None, **options: Any) -> Fingerprint:
    """The fingerprint of a root directory as that of a host, under an operator's options."""
    with Root(os.fspath(root)) as opened:
        return survey(Target("host", "web-1"), Subject(opened, Options(engine=engine, **options)))
