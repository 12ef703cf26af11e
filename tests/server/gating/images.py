"""Makes images with what is inside, and containers of the fleet as a selector names them."""

from collections.abc import Mapping, Sequence
from typing import Any

from envparity_agent.fingerprint import Attributes, Fingerprint, Section
from tests.server.making import host, section, versions

OLD_BASE, NEW_BASE = ("00 sha256:base-1",), ("00 sha256:base-2",)
PINS: Mapping[str, str] = {"flask": "3.0", "idna": "3.7"}
DEBS: Mapping[str, str] = {"libssl3": "3.0.15-1", "curl": "7.88.1-10", "tzdata": "2024a"}


def inside(
    pins: Mapping[str, str] = PINS, debs: Mapping[str, str] = DEBS, libraries: Mapping[str, Attributes] | None = None
) -> list[Section]:
    """What is in an image."""
    packages: dict[str, Attributes] = {name: {"version": one, "manager": "deb"} for name, one in debs.items()}
    return [
        section("os", {"distribution": {"id": "debian", "version": "12", "point_release": "12.5"}}),
        section("os-packages", packages, schema=2),
        section("os/libraries", libraries or {}, kind="libraries"),
        section("python"),
        section("python/site", {"@python": {"version": "3.12.1", "role": "site"}, **versions(pins)}, schema=2),
    ]


def _image(digest: str, layers: Sequence[str], **more: Any) -> Attributes:
    return {"config": f"sha256:{digest}", "content": digest, "platform": "linux/amd64", "layers": tuple(layers), **more}


def image(*sections: Section, layers: Sequence[str] = OLD_BASE, env: str = "1", **more: Any) -> Fingerprint:
    """An image that was just built: `image:shop:new`."""
    built = _image("new", (*layers, f"{len(layers):02} sha256:own-2"), reference="docker.io/library/shop:new", **more)
    return host(
        section("image", {"image": built}, kind="container", schema=2),
        section("image/config", {"env:PYTHONUTF8": {"value": env}}, kind="configuration"),
        section("image/app", {"code": {"tree": "two"}}, kind="application"),
        *(sections or inside()),
        kind="image",
        name="shop:new",
    )


def running(*sections: Section, layers: Sequence[str] = OLD_BASE, **more: Any) -> Fingerprint:
    """A container of the fleet: `env:prod#container/shop.web`."""
    runs = _image("old", (*layers, f"{len(layers):02} sha256:own-1"), reference="docker.io/library/shop:1", **more)
    return host(
        section("container/shop.web", {"image": runs, "tag": {"moved": False}}, schema=2),
        section("container/shop.web/config", {"env:PYTHONUTF8": {"value": "1"}}, kind="configuration"),
        section("container/shop.web/app", {"code": {"tree": "one"}}, kind="application"),
        *(sections or inside()),
        kind="container",
        name="env:prod#container/shop.web",
    )
