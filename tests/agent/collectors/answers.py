"""A container engine that gives recorded answers over a real socket, and the answers that it gives by default."""

import json
import socketserver
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

# what becomes JSON, bytes as they stand, the status of a refusal, None: close, an event: say nothing until it is set,
# or a function of the path that gives one of these
Answer = Any


def layer(number: int) -> str:
    """The digest of the layer with this number."""
    return f"sha256:{number:064x}"


CONFIG_DIGEST, NEWER_DIGEST = f"sha256:{'c' * 64}", f"sha256:{'d' * 64}"
INDEX_DIGEST, MANIFEST_DIGEST = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"

# Docker 20.10, API 1.41, overlay2
VERSION_141 = {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12", "Os": "linux"}
_INFO = {"KernelVersion": "6.1.0-18-amd64", "CgroupVersion": "2", "DockerRootDir": "/var/lib/docker"}
_SECURITY = ["name=apparmor", "name=seccomp,profile=default", "name=cgroupns"]
INFO_GRAPHDRIVER = {
    **_INFO,
    "ID": "NNJX:BQ4K:3Q7Y",
    "DriverStatus": [["Backing Filesystem", "extfs"], ["userxattr", "false"]],
    "SecurityOptions": _SECURITY,
}
# Docker 29, API 1.48 and later, containerd's store
VERSION_148 = {"Version": "29.0.1", "ApiVersion": "1.48", "MinAPIVersion": "1.24", "Os": "linux"}
INFO_CONTAINERD = {
    **_INFO,
    "ID": "2d4c0f6a-7f0e-4a55-93a5-5d8e6c1b9a10",
    "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
    "SecurityOptions": _SECURITY,
}

# Podman 4.3.1, its interface like Docker's, API 1.41; its id is another one each time it is asked
VERSION_PODMAN = {
    "Version": "4.3.1",
    "ApiVersion": "1.41",
    "MinAPIVersion": "1.24",
    "Os": "linux",
    "Components": [{"Name": "Podman Engine", "Version": "4.3.1"}],
}
INFO_PODMAN = {
    "ID": "2ac7ccb4-0358-41b4-8508-35fc3a4c3baa",
    "Driver": "overlay",
    "DriverStatus": [],
    "DockerRootDir": "/home/ann/.local/share/containers/storage",
    "KernelVersion": "6.1.0-18-amd64",
    "SecurityOptions": ["name=seccomp,profile=default", "name=rootless"],
    "CgroupVersion": "2",
}

CHANGES = [
    {"Path": "/usr", "Kind": 0},
    {"Path": "/usr/lib", "Kind": 0},
    {"Path": "/usr/lib/python3", "Kind": 0},
    {"Path": "/usr/lib/python3/six.py", "Kind": 0},
    {"Path": "/opt", "Kind": 0},
    {"Path": "/opt/tool", "Kind": 1},
    {"Path": "/opt/tool/bin", "Kind": 1},
    {"Path": "/opt/tool/bin/run", "Kind": 1},
    {"Path": "/etc", "Kind": 0},
    {"Path": "/etc/motd", "Kind": 2},
    {"Path": "/var/log", "Kind": 0},
    {"Path": "/var/log/app.log", "Kind": 1},
    {"Path": "/run/lock", "Kind": 1},
    {"Path": "/etc/hosts", "Kind": 0},
    {"Path": "/app", "Kind": 0},
    {"Path": "/app/__pycache__", "Kind": 1},
    {"Path": "/app/__pycache__/main.cpython-311.pyc", "Kind": 1},
    {"Path": "/app/main.pyc", "Kind": 1},
]


def image(identifier: str = CONFIG_DIGEST, **fields: Any) -> dict[str, Any]:
    """What a graphdriver engine says of an image."""
    return {
        "Id": identifier,
        "RepoTags": ["registry.example:5000/shop/web:1.4"],
        "RepoDigests": [f"registry.example:5000/shop/web@{INDEX_DIGEST}"],
        "Os": "linux",
        "Architecture": "amd64",
        "RootFS": {"Type": "layers", "Layers": [layer(1), layer(2)]},
        "Config": {"Env": ["PATH=/usr/bin", "A=1"], "Cmd": ["serve"], "Labels": {"built": "today"}},
        "Created": "2026-10-01T00:00:00Z",
        **fields,
    }


def containerd_image(**fields: Any) -> dict[str, Any]:
    """What an engine with containerd's store says of the same image: its id is the index's."""
    descriptor = {"mediaType": OCI_INDEX, "digest": INDEX_DIGEST, "size": 1609}
    return image(INDEX_DIGEST, Descriptor=descriptor, **fields)


def container(identifier: str, name: str, labels: Mapping[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    """What an engine says of a running container."""
    return {
        "Id": identifier * 64,
        "Name": f"/{name}",
        "Image": CONFIG_DIGEST,
        "Config": {
            "Image": "registry.example:5000/shop/web:1.4",
            "Labels": dict(labels or {}),
            "Env": ["PATH=/usr/bin", "A=1", "TZ=UTC"],
            "Cmd": ["serve"],
        },
        "State": {"Status": "running", "Running": True, "Pid": 0, "StartedAt": "2026-10-01T00:00:00Z"},
        **fields,
    }


def podman_container(identifier: str, name: str, **host: Any) -> dict[str, Any]:
    """What Podman says of a running container with an anonymous volume, by Docker's interface."""
    volume = identifier * 63 + "0"
    return {
        "Id": identifier * 64,
        "Name": f"/{name}",
        "Image": CONFIG_DIGEST,
        "State": {"Status": "running", "Running": True, "Pid": 0, "StartedAt": "2026-10-01T00:00:00.803989585Z"},
        "HostConfig": {
            "NetworkMode": "bridge",
            "PortBindings": {"8000/tcp": [{"HostIp": "", "HostPort": "8080"}]},
            "RestartPolicy": {"Name": "", "MaximumRetryCount": 0},
            "CapAdd": [],
            "CapDrop": ["AUDIT_WRITE", "MKNOD", "NET_RAW"],
            "IpcMode": "shareable",
            "PidMode": "private",
            "ShmSize": 65536000,
            "MemorySwap": 0,
            "PidsLimit": 2048,
            "Ulimits": [{"Name": "RLIMIT_NOFILE", "Hard": 1048576, "Soft": 1024}],
            **host,
        },
        "Mounts": [
            {
                "Type": "volume",
                "Name": volume,
                "Source": f"/home/ann/.local/share/containers/storage/volumes/{volume}/_data",
                "Destination": "/data",
                "Driver": "local",
                "RW": True,
            }
        ],
        "Config": {
            "Hostname": identifier * 12,
            "Image": "registry.example:5000/shop/web:1.4",
            "Env": [
                "PATH=/usr/bin",
                "TERM=xterm",
                "container=podman",
                "A=1",
                "B=2",
                f"HOSTNAME={identifier * 12}",
            ],
            "Cmd": ["serve"],
            "Entrypoint": [],
            "WorkingDir": "/",
            "Labels": {},
        },
        "NetworkSettings": {"Networks": {"podman": {}}},
    }


def compose(service: str) -> dict[str, str]:
    """The labels of a container that compose made."""
    return {"com.docker.compose.project": "shop", "com.docker.compose.service": service}


@dataclass
class Engine:
    """What the engine answers, by path below the version; every request is kept."""

    url: str
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)

    def has(self, *containers: Mapping[str, Any], changes: Answer = b"null") -> None:
        """Run these containers, each with the same changes."""
        self.answers["/containers/json"] = [
            {"Id": one["Id"], "Names": [one["Name"]], "Labels": one["Config"].get("Labels") or {}} for one in containers
        ]
        for one in containers:
            self.answers[f"/containers/{one['Id']}/json"] = one
            self.answers[f"/containers/{one['Id']}/changes"] = changes


def answers_by_default() -> dict[str, Answer]:
    """A Docker 20.10 with one image and no container."""
    found = image()
    return {
        "/version": VERSION_141,
        "/info": INFO_GRAPHDRIVER,
        "/containers/json": [],
        f"/images/{CONFIG_DIGEST}/json": found,
        "/images/registry.example:5000/shop/web:1.4/json": found,
    }


@contextmanager
def running_engine(place: Path | None = None) -> Iterator[Engine]:
    """An engine that listens, with the answers of a Docker 20.10 that runs nothing."""
    with tempfile.TemporaryDirectory() as short:  # the path of a socket has at most 107 bytes
        path = place or Path(short) / "docker.sock"
        engine = Engine(f"unix://{path}", answers_by_default())
        with _Server(str(path), _handler(engine)) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield engine
            finally:
                server.shutdown()
                thread.join()


@contextmanager
def recorded_engine() -> Iterator[Engine]:
    """An engine of each kind of answer: a moved tag, changes, a manifest of its own, a label of compose."""
    with running_engine() as engine:
        engine.answers |= {
            "/version": VERSION_148,
            "/info": INFO_CONTAINERD,
            f"/images/{INDEX_DIGEST}/json": containerd_image(),
            "/images/registry.example:5000/shop/web:1.4/json": image(NEWER_DIGEST),
        }
        engine.has(
            container(
                "a",
                "shop-web-1",
                compose("web"),
                Image=INDEX_DIGEST,
                ImageManifestDescriptor={"mediaType": OCI_MANIFEST, "digest": MANIFEST_DIGEST},
                HostConfig={"PortBindings": {"8000/tcp": [{"HostIp": "", "HostPort": "8080"}]}},
                Mounts=[{"Type": "bind", "Source": "/srv/shop", "Destination": "/srv", "RW": False}],
            ),
            changes=CHANGES,
        )
        yield engine


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = False


def _handler(engine: Engine) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            if path.startswith("/v1."):
                path = path[path.index("/", 1) :]
            engine.requests.append((self.command, path))
            answer = engine.answers.get(path, 404)
            if callable(answer):
                answer = answer(path)
            self.close_connection = True
            if answer is None:
                return  # the connection is closed without a word
            if isinstance(answer, threading.Event):
                answer.wait()  # the connection stays open without a word
                return
            status = answer if isinstance(answer, int) else 200
            if status != 200:
                answer = {"message": f"No such image: {path}" if path.startswith("/images/") else "refused"}
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815  # the names are http.server's

        def log_message(self, format: str, *arguments: object) -> None:
            pass

        def address_string(self) -> str:
            return "a socket"

    return Handler
