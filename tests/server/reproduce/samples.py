"""Targets of every kind that can be rebuilt, small, with what a Dockerfile has to say about each."""

from collections.abc import Mapping

from envparity_agent.fingerprint import Attributes, Fingerprint, Reason, Section, Status
from tests.server.making import host, section

HASH = "0123456789abcdef" * 4
COMMIT = "0123456789" * 4
PREFIX = "python/opt/shop/.venv"
SITE = "/opt/shop/.venv/lib/python3.11/site-packages"

DEBIAN = section("os", {"distribution": {"id": "debian", "version": "12", "codename": "bookworm"}})
ALPINE = section("os", {"distribution": {"id": "alpine", "version": "3.20.3"}})
ROCKY = section("os", {"distribution": {"id": "rocky", "version": "9.4"}})
VENV: Attributes = {
    "role": "venv", "implementation": "cpython", "abi": "3.11", "version": "3.11.2", "base": "usr",
}  # fmt: skip


def package(version: str, source: str = "", **more: str) -> Attributes:
    """A Debian package."""
    return {"version": version, "manager": "deb", **({"source": source} if source else {}), **more}


PACKAGES = section(
    "os-packages",
    {
        "curl": package("7.88.1-10"),
        "libpq5": package("15.8-0", "postgresql-15"),
        "libssl3": package("3.0.15-1~deb12u1", "openssl"),
        "openssl": package("3.0.15-1~deb12u1", "openssl"),
        "python3.11": package("3.11.2-6"),
        "python3.11-minimal": package("3.11.2-6", "python3.11"),
        "half": package("1", state="half-configured"),
    },
    schema=2,
)
LIBRARIES = section(
    "os/libraries",
    {
        "libpq.so.5": {"path": "/usr/lib/libpq.so.5", "owner": "deb:libpq5 15.8-0", "used_by": ("psycopg2",)},
        "libssl.so.3": {"path": "/usr/lib/libssl.so.3", "owner": "deb:libssl3 3.0.15-1~deb12u1", "used_by": ("_ssl",)},
        "libown.so.1": {"path": "/usr/local/lib/libown.so.1", "used_by": ("psycopg2",)},
    },
    kind="libraries",
)


def dist(version: str, **more: str | bool | tuple[str, ...]) -> Attributes:
    """A distribution that pip installed."""
    return {"version": version, "form": "dist-info", "installer": "pip", "tags": ("py3-none-any",), **more}


DISTRIBUTIONS: Mapping[str, Attributes] = {
    "flask": dist("3.0.3"),
    "idna": dist("3.7"),
    "idna#lib/python3.11/site-packages/idna-3.4.dist-info": dist("3.4"),
    "pip": dist("23.0.1"),
    "setuptools": dist("66.1.1"),
    "shop": dist("1.0", source="https://git.example.org/shop", commit=COMMIT),
    "local": dist("1.0", source="file:///srv/local", editable=True, head=COMMIT),
    "native": dist("2.1.5", tags=("cp311-cp311-linux_x86_64",)),
    "torch": dist("2.0+cpu", source="https://files.example.org/torch.whl", archive=(f"sha256:{HASH}",)),
    "yaml": dist("6.0", owner="deb:python3-yaml 6.0-3"),
}


def python(path: str, items: Mapping[str, Attributes], facts: Attributes = VENV, location: str = "") -> Section:
    """A Python environment."""
    observed = {"location": location} if location else {}
    return Section(path, "python", 2, {"@python": facts, **items}, observed=observed)


SHOP = python(PREFIX, DISTRIBUTIONS)
CONFIG = section(
    "container/web/config",
    {
        "env:TZ": {"value": "Europe/Berlin"},
        "env:GREETING": {"value": 'say "$HELLO" \\'},
        "env:LINES": {"value": "two\nlines"},
        "env:PASSWORD": {"hmac": HASH, "key": "k"},
        "entrypoint": {"command": "tini --"},
        "command": {"command": "gunicorn --workers 4 shop:app"},
        "workdir": {"value": "/srv/shop"},
        "user": {"value": "1000:1000"},
        "healthcheck": {"value": True},
        "port:8000/tcp": {"exposed": True, "published": ("0.0.0.0:80",)},
        "mount:/data": {"type": "volume", "source": "data", "writable": True},
        "restart": {"value": "always"},
        "label:org.opencontainers.image.title": {"value": "shop"},
    },
    kind="configuration",
)


def image(items: Mapping[str, Attributes] | None = None, **facts: str | tuple[str, ...]) -> Section:
    """What a container says of its image and its writable layer."""
    first: Attributes = {"config": f"sha256:{HASH}", "platform": "linux/amd64", **facts}
    return Section("container/web", "container", 2, {"image": first, **(items or {})})


CODE = section("container/web/app", {"code": {"tree": HASH}}, kind="application")
PATCHED = Section(
    "verify/opt/shop/.venv", "python-files", 1, {"flask": {"modified": ("flask/app.py",), "content": HASH}}
)
OWN = "registry.example.org/web"
LAYER: Mapping[str, Attributes] = {
    f"layer:{SITE}#six": {"change": "added", "owner": "six 1.17.0"},
    f"layer:{SITE}#pytz": {"change": "deleted", "owner": "pytz 2024.2"},
    "layer:deb:libpq5": {"change": "modified", "owner": "deb:libpq5 15.8-0"},
    "layer:/etc/motd": {"change": "modified"},
}
OFFICIAL: Attributes = {"role": "interpreter", "implementation": "cpython", "abi": "3.12", "version": "3.12.7"}
PYENV: Attributes = {**VENV, "base": "root/.pyenv/versions/3.9.18", "abi": "3.9", "version": "3.9.18"}

SAMPLES: Mapping[str, Fingerprint] = {
    "container": host(
        DEBIAN, PACKAGES, LIBRARIES, SHOP, PATCHED, image(), CONFIG, CODE, name="web", kind="container"
    ),
    "published": host(
        DEBIAN, PACKAGES, LIBRARIES, SHOP, image(LAYER, repo_digests=(f"{OWN}@sha256:{HASH}",)), CONFIG,
        name="web", kind="container",
    ),
    "official": host(
        DEBIAN, python("python/usr/local/lib/python3.12", {"flask": dist("3.0.3"), "pip": dist("24.2")}, OFFICIAL),
        image(), name="web", kind="container",
    ),
    "host": host(
        DEBIAN, PACKAGES, LIBRARIES,
        python(PREFIX, {"flask": dist("3.0.3"), "pip": dist("23.0.1"), "setuptools": dist("66.1.1")}),
        python("python/tools", {"six": dist("1.17.0")}, PYENV, location="/srv/tools"),
        python("python/opt/conda", {"conda:numpy": {"version": "2.0"}, "numpy": dist("2.0", owner="conda:numpy 2.0")},
               {**OFFICIAL, "role": "interpreter"}),
        python("python/usr/lib/python3.11", {"yaml": dist("6.0", owner="deb:python3-yaml 6.0-3"),
                                             "byhand": dist("1")}, {**OFFICIAL, "abi": "3.11"}),
        section("os/machine", {"kernel": {"release": "6.1"}}, kind="machine"),
        section("os/settings", {"timezone": {"value": "Etc/UTC"}}, kind="settings"),
        section("services/shop", {"env:A": {"value": "b"}}, kind="configuration"),
        section("containers", {}, Status.FAILED, Reason.PERMISSION), image(),
    ),
    "alpine": host(
        ALPINE,
        section("os-packages", {"python3": {"version": "3.12.6-r0", "manager": "apk"}}, schema=2),
        python("python/srv/shop", {"flask": dist("3.0.3")}, {**VENV, "abi": "3.12", "version": "3.12.6"}),
    ),
    "rocky": host(
        ROCKY,
        section("os-packages", {"python3": {"version": "1:3.9.18-3.el9", "manager": "rpm"}}, schema=2),
        python("python/srv/shop", {"flask": dist("3.0.3")}, {**VENV, "abi": "3.9", "version": "3.9.18"}),
    ),
    "venv": host(python("python/home/me/.venv", DISTRIBUTIONS, PYENV), name="/home/me/.venv", kind="python"),
    "lock": host(
        Section("python/pylock.toml", "declared", 2, {
            "@lock": {"complete": True}, "@python": {"specifier": ">=3.10"},
            "flask": {"version": "3.0.3", "hashes": (f"sha256:{HASH}",)},
            "colorama": {"version": "0.4.6", "hashes": (f"sha256:{HASH}",), "marker": 'sys_platform == "win32"'},
            "pytest": {"version": "8.3", "optional": ("group dev",)},
        }), name="pylock.toml", kind="declared",
    ),
    "list": host(
        Section("python/requirements.txt", "declared", 2, {
            "flask": {"specifier": ">=3"}, "idna": {"version": "3.7"},
            "shop": {"source": "ssh://git.example.org/shop", "commit": COMMIT},
        }), name="requirements.txt", kind="declared",
    ),
}  # fmt: skip
