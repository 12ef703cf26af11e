"""How the sides of the truth table's pairs are made and read: by the real tools, and as the product reads targets."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from envparity_agent.collectors.interface import Options
from envparity_agent.collectors.values import Disclosure, Key
from envparity_agent.fingerprint import Fingerprint
from envparity_agent.kinds import KINDS
from envparity_agent.targets import fingerprint
from envparity_server.compare.model import Severity, State
from tests.agent.collectors.answers import (
    INFO_CONTAINERD,
    INFO_PODMAN,
    MANIFEST_DIGEST,
    OCI_MANIFEST,
    VERSION_148,
    VERSION_PODMAN,
    container,
    containerd_image,
    image,
    running_engine,
)
from tests.agent.collectors.archives import diff_id, saved, tar_of
from tests.agent.trees import distribution, interpreter, put, system, venv
from tests.environments.artifacts import source_tree
from tests.environments.making import Workshop
from tests.system.components import GIT, require

Side = Callable[[Workshop], Fingerprint]

KEY, OTHER_KEY = Disclosure(Key(b"the operator's own key")), Disclosure(Key(b"the key of another operator"))
REFERENCE = "registry.example:5000/shop/web:1.4"
CONTAINERD: Mapping[str, Any] = {"/version": VERSION_148, "/info": INFO_CONTAINERD}
PODMAN: Mapping[str, Any] = {"/version": VERSION_PODMAN, "/info": INFO_PODMAN}
TOOL = {
    "tool/__init__.py": "def main() -> None:\n    pass\n",
    "tool-1.0.dist-info/entry_points.txt": "[console_scripts]\ntool = tool:main\n",
}


@dataclass(frozen=True)
class Pair:
    """Two targets; the right one may be the left one, changed: both are made in one workshop, the left one first."""

    name: str
    rule: str
    left: Side
    right: Side


@dataclass(frozen=True)
class Found:
    """A difference that must be found; `section` is a glob, as a place of its own is in the path."""

    section: str
    item: str
    attribute: str
    state: State = State.CHANGED
    severity: Severity = Severity.MEDIUM


@dataclass(frozen=True)
class Unlike(Pair):
    """Two targets that are not the same, and all that must be found, no line more."""

    found: tuple[Found, ...]


def read(target: str | Path, **options: Any) -> Fingerprint:
    """The fingerprint of a target under the operator's key."""
    return fingerprint(str(target), Options(**{"disclosure": KEY, **options}))


def filled(shop: Workshop, *wheels: str | Path, place: str = "app/.venv") -> Path:
    """An environment of uv with what uv installed."""
    made = shop.by_uv(shop.home / place)
    if wheels:
        shop.uv_pip(made, *wheels)
    return made


def piped(shop: Workshop, *what: str | Path, place: str = "app/.venv") -> Path:
    """An environment of venv with what pip installed."""
    made = shop.by_venv(place=shop.home / place)
    shop.pip(made, *what)
    return made


def virtualenv(shop: Workshop, *wheels: Path) -> Path:
    """An environment of virtualenv with what uv installed."""
    made = shop.home / "virtualenv"
    shop.run(sys.executable, "-m", "virtualenv", "--quiet", "--no-seed", "--no-download", made)
    shop.uv_pip(made, *wheels)
    return made


def editable(shop: Workshop, tree: Path, place: str = "app/.venv") -> Path:
    """An environment in which a source tree is installed as it lies there."""
    made = filled(shop, place=place)
    (shop.home / "wheels").mkdir(exist_ok=True)
    shop.uv_pip(made, "--no-build-isolation", "--editable", tree)
    return made


def checkout(shop: Workshop, place: str = "src/shop") -> Path:
    """A repository with one commit of a project."""
    require(GIT)
    return shop.committed(source_tree(shop.home / place, "shop"))


def debian(shop: Workshop, name: str = "root") -> Path:
    """A Debian with an interpreter, a project with its venv, and what its files say of locale and time zone."""
    root = shop.home / name
    if not root.exists():
        interpreter(system(root))
        distribution(venv(root, "srv/shop/.venv"), "django", "5.0")
        put(root, "srv/shop/manage.py", "x\n")
        put(root, "etc/default/locale", "LANG=C.UTF-8\n")
        put(root, "etc/timezone", "Etc/UTC\n")
    return root


def root_of(shop: Workshop, changed: Mapping[str, str | bytes] | None = None, **options: Any) -> Fingerprint:
    """That Debian, with some of its files written anew before."""
    root = debian(shop)
    for path, content in (changed or {}).items():
        put(root, path, content)
    return read(f"root:{root}", **options)


def configured(name: str, content: str | bytes, **options: Any) -> Side:
    """A root of which one configuration file is compared."""
    return lambda shop: root_of(shop, {f"etc/shop/{name}": content}, files=(f"etc/shop/{name}",), **options)


def known(described: Mapping[str, Any], reference: str = REFERENCE) -> dict[str, Any]:
    """The engine's answers about an image, by its id and by the name that it has."""
    identifier = str(described["Id"]).removeprefix("sha256:")
    return {f"/images/{name}/json": described for name in (identifier, f"sha256:{identifier}", reference)}


def files_of(shop: Workshop) -> bytes:
    """The files of every container and image in a workshop."""
    kept = shop.home / "files.tar"
    if not kept.exists():
        kept.write_bytes(tar_of(debian(shop, "inside")))
    return kept.read_bytes()


def web(**fields: Any) -> dict[str, Any]:
    """A running container."""
    return container("a", "web", **fields)


def web_with(**config: Any) -> dict[str, Any]:
    """A running container with another configuration."""
    one = web()
    return {**one, "Config": {**one["Config"], **config}}


def in_containerd(**fields: Any) -> dict[str, Any]:
    """The same container where the engine has containerd's store."""
    described = containerd_image()
    manifest = {"mediaType": OCI_MANIFEST, "digest": MANIFEST_DIGEST}
    return web(**{"Image": described["Id"], "ImageManifestDescriptor": manifest, **fields})


def contained(
    running: Mapping[str, Any] | None = None,
    answers: Mapping[str, Any] | None = None,
    changes: Any = b"null",
    **options: Any,
) -> Side:
    """A container of an engine with these answers, Docker's with graphdrivers where nothing else is said."""
    one = running or web()

    def side(shop: Workshop) -> Fingerprint:
        with running_engine() as engine:
            engine.answers |= answers or {}
            engine.has(one, changes=changes)
            engine.answers["/containers/web/json"] = one
            engine.answers[f"/containers/{one['Id']}/archive"] = files_of(shop)
            return read("container:web", engine=engine.url, **options)

    return side


def hosting(*containers: Mapping[str, Any], **options: Any) -> Side:
    """A host that runs these containers."""

    def side(shop: Workshop) -> Fingerprint:
        with running_engine() as engine:
            engine.has(*containers)
            for one in containers:
                engine.answers[f"/containers/{one['Id']}/archive"] = files_of(shop)
            return read("local", root=str(debian(shop)), engine=engine.url, **options)

    return side


def imaged(described: Mapping[str, Any] | None = None, answers: Mapping[str, Any] | None = None) -> Side:
    """An image of an engine, of which nothing runs."""

    def side(shop: Workshop) -> Fingerprint:
        layer = files_of(shop)
        one = {**(described or image()), "RootFS": {"Type": "layers", "Layers": [diff_id(layer)]}}
        with running_engine() as engine:
            engine.answers |= {**(answers or {}), **known(one), f"/images/{one['Id']}/get": saved(layer)}
            return read(f"image:{REFERENCE}", engine=engine.url)

    return side


def running_image(shop: Workshop, more: Mapping[str, Any] | None = None) -> Fingerprint:
    """A container of the image that `imaged` reads, which was given nothing more than is said."""
    one = {**image(), "RootFS": {"Type": "layers", "Layers": [diff_id(files_of(shop))]}}
    return contained({**web(), "Config": {**one["Config"], "Image": REFERENCE, **(more or {})}}, known(one))(shop)


def by_older_agent(found: Fingerprint) -> Fingerprint:
    """What an agent of before would tell: the first schemas, nothing inside containers, no packages of conda's."""
    kept = {}
    for path, section in found.sections.items():
        extended = section.kind == "python-search" or (section.kind, 2) in KINDS or section.kind == "os"
        if not extended or (path.count("/") > 1 and path.startswith("container/")):
            continue
        attributes = KINDS[section.kind, 1].attributes
        items = {
            item: {name: value for name, value in body.items() if name in attributes}
            for item, body in section.items.items()
            if not item.startswith("conda:")
        }
        kept[path] = replace(section, schema=1, items={item: body for item, body in items.items() if body})
    return replace(found, sections=kept)
