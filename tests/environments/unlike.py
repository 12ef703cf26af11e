"""The pairs that must not compare as the same: each has the rule that it is there for, and all that must be found."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from envparity_agent.collectors.interface import Consent
from envparity_agent.collectors.values import Disclosure
from envparity_agent.fingerprint import Fingerprint
from envparity_server.compare.model import Severity, State
from tests.agent.collectors.answers import NEWER_DIGEST, compose, container, image, layer
from tests.agent.collectors.system.rpms import Database, Rpm, build
from tests.agent.databases import apk_record
from tests.agent.trees import distribution, interpreter, put, shared_library, system
from tests.environments.artifacts import source_tree
from tests.environments.making import Workshop
from tests.environments.sides import (
    OTHER_KEY,
    REFERENCE,
    Found,
    Side,
    Unlike,
    checkout,
    configured,
    contained,
    debian,
    editable,
    filled,
    hosting,
    imaged,
    known,
    piped,
    read,
    root_of,
    running_image,
    web,
    web_with,
)
from tests.system.components import DPKG, DPKG_DEB, require

_VENV = "python/*/app/.venv"
_CONFIG = "container/web/config"
_LOW, _MEDIUM, _HIGH, _CRITICAL, _INFO = Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL, Severity.INFO
_LEFT, _RIGHT, _UNKNOWN, _UNLIKE = State.ONLY_LEFT, State.ONLY_RIGHT, State.UNKNOWN, State.INCOMPARABLE


def _idna(shop: Workshop) -> Path:
    return shop.wheel("idna", "3.7")


def _plain(shop: Workshop) -> Fingerprint:
    return read(filled(shop, _idna(shop)), verify=True)


def _then(change: Callable[[Workshop, Path], object]) -> Side:
    """The environment that `_plain` made, changed; `change` is told its site directory."""

    def side(shop: Workshop) -> Fingerprint:
        change(shop, shop.site())
        return read(shop.venv, verify=True)

    return side


def _elsewhere_edited(shop: Workshop) -> Fingerprint:
    made = filled(shop, _idna(shop), place="other/.venv")
    put(shop.site(made), "idna/__init__.py", "edited\n")
    return read(made, verify=True)


def _built(shop: Workshop, code: str, place: str) -> Fingerprint:
    tree = source_tree(shop.home / place / "src", "speedups")
    put(tree, "src/speedups/__init__.py", code)
    return read(piped(shop, tree, place=place))


def _by_commit(shop: Workshop, place: str) -> Fingerprint:
    tree = shop.home / "src/shop"
    if not tree.exists():
        checkout(shop)
    else:
        put(tree, "README", "more\n")
        shop.git(tree, "add", "--all")
        shop.git(tree, "commit", "--quiet", "--message", "Second")
    return read(piped(shop, f"git+file://{tree}", place=place))


def _edited_checkout(shop: Workshop) -> Fingerprint:
    put(shop.home / "src/shop", "src/shop/__init__.py", "edited\n")
    return read(shop.venv)


def _later_commit(shop: Workshop) -> Fingerprint:
    put(shop.home / "src/shop", "README", "more\n")
    shop.git(shop.home / "src/shop", "add", "--all")
    shop.git(shop.home / "src/shop", "commit", "--quiet", "--message", "Second")
    return read(shop.venv)


def _stale(_: Workshop, site: Path) -> None:
    put(site, "idna-3.4.dist-info/METADATA", "Metadata-Version: 2.1\nName: idna\nVersion: 3.4\n")
    put(site, "idna-3.4.dist-info/RECORD", "idna/core.py,sha256=x,17\nidna/__init__.py,sha256=y,99\n")


def _orphan(shop: Workshop, _: Path) -> None:
    configuration = shop.venv / "pyvenv.cfg"
    lines = configuration.read_text().splitlines()
    configuration.write_text("\n".join("home = /opt/gone/bin" if line.startswith("home") else line for line in lines))


def _paths(*names: str) -> Side:
    def side(shop: Workshop) -> Fingerprint:
        for name in names:
            (shop.home / "more" / name).mkdir(parents=True, exist_ok=True)
        made = shop.venv if shop.venv.exists() else filled(shop, _idna(shop))
        put(shop.site(made), "more.pth", "".join(f"{shop.home}/more/{name}\n" for name in names))
        return read(made)

    return side


def _running(shop: Workshop) -> Fingerprint:
    """Read while a process runs from the environment, into which something is installed after that began."""
    with subprocess.Popen([shop.venv / "bin/python", "-c", "input()"], stdin=subprocess.PIPE) as program:
        later = (shop.site() / "idna-3.7.dist-info").stat().st_mtime + 60
        _set_time(shop.site() / "idna-3.7.dist-info", later)
        try:
            return read(shop.venv, verify=True)
        finally:
            program.communicate(b"\n")


def _set_time(place: Path, moment: float) -> None:
    subprocess.run(("touch", "-d", f"@{int(moment)}", place), check=True)


def _python(abi: str, version: str) -> Side:
    def side(shop: Workshop) -> Fingerprint:
        root = system(shop.home / abi)
        distribution(interpreter(root, "usr/local", abi=abi, version=version) / "site-packages", "idna", "3.7")
        return read(f"root:{root}")

    return side


def _conda(build: str, channel: str = "defaults") -> Side:
    def side(shop: Workshop) -> Fingerprint:
        root = debian(shop)
        made = distribution(root / "opt/conda/lib/python3.11/site-packages", "numpy", "1.26.4")
        put(made, "INSTALLER", "conda\n")
        files = [f"lib/python3.11/site-packages/{name}/{one.name}" for name in (made.name,) for one in made.iterdir()]
        facts = {"name": "numpy", "version": "1.26.4", "build": build, "channel": channel, "files": files}
        shutil.rmtree(root / "opt/conda/conda-meta", ignore_errors=True)
        put(root, f"opt/conda/conda-meta/numpy-1.26.4-{build}.json", json.dumps(facts))
        return read(f"root:{root}")

    return side


def _deb(content: str) -> Side:
    """A Debian package of one version, built by dpkg-deb with a list of its files' hashes, installed by dpkg."""

    def side(shop: Workshop) -> Fingerprint:
        require(DPKG), require(DPKG_DEB)
        tree, root = shop.home / content / "tree", system(shop.home / content / "root")
        words = put(tree, "usr/share/shop/words", content)
        sums = shop.run("md5sum", words).split()[0]
        put(tree, "DEBIAN/md5sums", f"{sums}  usr/share/shop/words\n")
        control = "Package: shop\nVersion: 1.0-1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n"
        put(tree, "DEBIAN/control", control)
        shop.run("dpkg-deb", "--root-owner-group", "--build", tree, f"{content}.deb")
        forced = ("--force-not-root", "--force-script-chrootless")
        shop.run("dpkg", f"--root={root}", *forced, "--install", f"{content}.deb")
        return read(f"root:{root}")

    return side


def _rpm(content: str) -> Side:
    def side(shop: Workshop) -> Fingerprint:
        home = shop.home / content
        database = Database(home / "root")
        put(database.root, "etc/os-release", "ID=fedora\nVERSION_ID=41\n")
        database.install(build(home, Rpm("shop", path="/usr/share/shop/words", content=content)))
        return read(f"root:{database.root}")

    return side


def _apk(checksum: str) -> Side:
    def side(shop: Workshop) -> Fingerprint:
        put(shop.home, "root/etc/os-release", "ID=alpine\nVERSION_ID=3.21.0\n")
        put(shop.home, "root/lib/apk/db/installed", apk_record("musl", "1.2.5-r0", checksum))
        return read(f"root:{shop.home}/root")

    return side


def _openssl(build_id: bytes) -> Side:
    text = b"\x00OpenSSL 3.0.15 3 Sep 2024\x00"
    module = shared_library(needed="libcrypto.so.3")
    library = shared_library(needed="libc.so.6", soname="libcrypto.so.3", build_id=build_id) + text
    return lambda shop: root_of(
        shop,
        {"usr/lib/python3.11/lib-dynload/_ssl.so": module, "usr/lib/x86_64-linux-gnu/libcrypto.so.3": library},
    )


def _application(change: Callable[[Workshop, Path], object] | None, is_git: bool) -> Side:
    def side(shop: Workshop) -> Fingerprint:
        root = debian(shop)
        place = root / "opt/shop"
        if not place.exists():
            put(place, "shop.py", "x\n")
            if is_git:
                shop.committed(place)
        if change:
            change(shop, place)
        return read(f"root:{root}", applications={"shop": "opt/shop"})

    return side


def _commit(shop: Workshop, place: Path) -> None:
    put(place, "more.py", "y\n")
    shop.git(place, "add", "--all")
    shop.git(place, "commit", "--quiet", "--message", "Second")


def _limited(**host: Any) -> Side:
    return contained(web(HostConfig=host))


def _mounted(writable: bool) -> Side:
    return contained(web(Mounts=[{"Type": "bind", "Source": "/srv", "Destination": "/srv", "RW": writable}]))


def _published(port: str) -> Side:
    return _limited(PortBindings={"8000/tcp": [{"HostIp": "", "HostPort": port}]})


_ARM = image(f"sha256:{'e' * 64}", Architecture="arm64", RootFS={"Type": "layers", "Layers": [layer(7)]})
_ARM_WEB = web(Image=_ARM["Id"])
_PATCH = [{"Path": "/usr", "Kind": 0}, {"Path": "/usr/bin", "Kind": 0}, {"Path": "/usr/bin/tool", "Kind": 1}]
_NEWER = image(NEWER_DIGEST, RootFS={"Type": "layers", "Layers": [layer(1), layer(3)]})


UNLIKE = (
    Unlike(
        "a wheel and a source build", "one version built twice is not one content",
        lambda shop: _built(shop, "fast = True\n", "app/.venv"), lambda shop: _built(shop, "fast = False\n", "other"),
        (Found(_VENV, "speedups", "content"),),
    ),
    Unlike(
        "a library edited in place", "RECORD says what was installed; verify says what is there",
        _plain, _then(lambda _, site: put(site, "idna/__init__.py", "edited\n")),
        (Found("verify/*", "idna", "", _RIGHT, _HIGH),),
    ),
    Unlike(
        "a library edited at another place", "the files of paired environments are held against each other as well",
        _plain, _elsewhere_edited, (Found("verify/*", "idna", "", _RIGHT, _HIGH),),
    ),
    Unlike(
        "a file that is missing", "RECORD lists a file that is not there",
        _plain, _then(lambda _, site: (site / "idna/__init__.py").unlink()),
        (Found("verify/*", "idna", "", _RIGHT, _HIGH),),
    ),
    Unlike(
        "another commit from version control", "the commit is the identity, not the branch or the version",
        lambda shop: _by_commit(shop, "app/.venv"), lambda shop: _by_commit(shop, "other"),
        (Found(_VENV, "shop", "commit"),),
    ),
    Unlike(
        "an editable checkout that was changed", "what is in no commit is told",
        lambda shop: read(editable(shop, checkout(shop))), _edited_checkout, (Found(_VENV, "shop", "dirty"),),
    ),
    Unlike(
        "an editable checkout of another commit", "an editable installation is its commit",
        lambda shop: read(editable(shop, checkout(shop))), _later_commit, (Found(_VENV, "shop", "head"),),
    ),
    Unlike(
        "a stale dist-info", "what an upgrade left behind is told beside what imports",
        _plain, _then(_stale), (Found(_VENV, "idna#*", "version", _RIGHT, _LOW),),
    ),
    Unlike(
        "metadata that an upgrade left broken", "a dist-info without METADATA is broken, and not gone",
        _plain, _then(lambda _, site: (site / "idna-3.7.dist-info/METADATA").unlink()),
        (Found(_VENV, "idna", "problem"), Found("verify/*", "idna", "", _RIGHT, _HIGH)),
    ),
    Unlike(
        "a distribution without RECORD", "nothing says what it contains: not the same, and not drift",
        _plain, _then(lambda _, site: (site / "idna-3.7.dist-info/RECORD").unlink()),
        (Found(_VENV, "idna", "content", _UNLIKE, _INFO),),
    ),
    Unlike(
        "code in a .pth file", "it runs at every start",
        _plain, _then(lambda _, site: put(site, "a.pth", "import os\n")),
        (Found(_VENV, "@python", "hooks", severity=_LOW),),
    ),
    Unlike(
        "a sitecustomize", "it runs at every start",
        _plain, _then(lambda _, site: put(site, "sitecustomize.py", "x = 1\n")),
        (Found(_VENV, "@python", "hooks", severity=_LOW),),
    ),
    Unlike(
        "another order of sys.path", "the first match wins", _paths("a", "b"), _paths("b", "a"),
        (Found(_VENV, "@python", "path", severity=_LOW),),
    ),
    Unlike(
        "an orphaned venv", "its base interpreter is gone",
        _plain, _then(_orphan), (Found(_VENV, "@python", "orphaned", severity=_LOW),),
    ),
    Unlike(
        "a process older than its packages", "it runs other code than what is installed",
        _plain, _running, (Found(_VENV, "@python", "restart_needed", severity=_LOW),),
    ),
    Unlike(
        "another upstream version", "a major version is another program",
        _plain, lambda shop: read(filled(shop, shop.wheel("idna", "4.0"), place="other"), verify=True),
        (Found(_VENV, "idna", "version", severity=_HIGH),),
    ),
    Unlike(
        "a package more", "what only one side has is told",
        _plain, _then(lambda shop, _: shop.uv_pip(shop.venv, shop.wheel("six"))),
        (Found(_VENV, "six", "version", _RIGHT, _HIGH),),
    ),
    Unlike(
        "cu121 and cpu", "local versions differ in earnest",
        lambda shop: read(filled(shop, shop.wheel("torch", "2.5.1+cu121"))),
        lambda shop: read(filled(shop, shop.wheel("torch", "2.5.1+cpu"), place="other")),
        (Found(_VENV, "torch", "version"),),
    ),
    Unlike(
        "another build number", "one version that was built twice",
        lambda shop: read(filled(shop, shop.wheel("idna", "3.7", build="1"))),
        lambda shop: read(filled(shop, shop.wheel("idna", "3.7", build="2"), place="other")),
        (Found(_VENV, "idna", "build"),),
    ),
    Unlike(
        "a pin that is not kept", "what is declared is not what is installed",
        lambda shop: read(put(shop.home, "requirements.txt", "idna==3.4\n")), _plain,
        (Found("python/*", "idna", "version"),),
    ),
    Unlike(
        "a free-threaded Python", "python3.13t is a build of its own", _python("3.13", "3.13.1"),
        _python("3.13t", "3.13.1"),
        (Found("python/*", "@python", "abi", severity=_LOW),),
    ),
    Unlike(
        "another Python", "a minor version is another interpreter", _python("3.11", "3.11.2"),
        _python("3.12", "3.12.1"),
        (Found("python/*", "@python", "version", severity=_HIGH),),
    ),
    Unlike(
        "mkl and openblas", "conda's build string is identity", _conda("py311_mkl_0"), _conda("py311_openblas_0"),
        (Found("python/opt/conda/*", "numpy", "build"),),
    ),
    Unlike(
        "another channel", "another channel built it", _conda("py311_0"), _conda("py311_0", "conda-forge"),
        (Found("python/opt/conda/*", "numpy", "channel"),),
    ),
    Unlike(
        "a deb built again", "the hashes of its files tell two builds of one version",
        _deb("one"), _deb("two"), (Found("os-packages", "shop", "content", severity=_LOW),),
    ),
    Unlike(
        "an rpm built again", "rpm keeps a hash of each package",
        _rpm("one"), _rpm("two"), (Found("os-packages", "shop", "content", severity=_LOW),),
    ),
    Unlike(
        "an apk built again", "apk keeps a checksum of each package",
        _apk("Q1aaaa"), _apk("Q1bbbb"), (Found("os-packages", "musl", "content", severity=_LOW),),
    ),
    Unlike(
        "another build of OpenSSL", "the build id tells two builds of one version",
        _openssl(b"\x01" * 4), _openssl(b"\x02" * 4),
        (Found("os/libraries", "libcrypto.so.3", "build_id", severity=_LOW),),
    ),
    Unlike(
        "another time zone", "local times and the days of reports", root_of,
        lambda shop: root_of(shop, {"etc/timezone": "Asia/Tokyo\n"}),
        (Found("os/settings", "timezone", "value", severity=_MEDIUM),),
    ),
    Unlike(
        "another locale", "encodings, sorting and number formats", root_of,
        lambda shop: root_of(shop, {"etc/default/locale": "LANG=de_DE.UTF-8\n"}),
        (Found("os/settings", "locale:LANG", "value", severity=_MEDIUM),),
    ),
    Unlike(
        "another commit of an application", "the commit is the code",
        _application(None, True), _application(_commit, True), (Found("app/shop", "code", "commit", severity=_HIGH),),
    ),
    Unlike(
        "a dirty checkout", "what is in no commit is told",
        _application(None, True), _application(lambda _, place: put(place, "shop.py", "edited\n"), True),
        (Found("app/shop", "code", "dirty", severity=_HIGH),),
    ),
    Unlike(
        "a file of an application edited", "without a repository the hash over its files is the code",
        _application(None, False), _application(lambda _, place: put(place, "shop.py", "edited\n"), False),
        (Found("app/shop", "code", "tree", severity=_HIGH), Found("app/shop", "file:shop.py", "content")),
    ),
    Unlike(
        "one key of a configuration file", "a file is compared by its keys",
        configured("a.env", "A=1\nB=2\n"), configured("a.env", "A=1\nB=3\n"), (Found("config/*", "B", "value"),),
    ),
    Unlike(
        "unlike keys of operators", "hashes under unlike keys tell nothing: not the same, and not drift",
        configured("a.env", "A=1\n"), configured("a.env", "A=1\n", disclosure=OTHER_KEY),
        (Found("config/*", "A", "value", _UNLIKE, _INFO),),
    ),
    Unlike(
        "values that are hidden", "two values that nobody tells are not the same by that",
        configured("a.env", "A=1\n", disclosure=Disclosure()), configured("a.env", "A=1\n", disclosure=Disclosure()),
        (Found("config/*", "A", "value", _UNKNOWN, _INFO), Found("config/*", "", "", _UNKNOWN, _INFO)),
    ),
    Unlike(
        "another value of a variable", "a keyed hash tells equal from unequal",
        contained(web_with(Env=["PASSWORD=one"])), contained(web_with(Env=["PASSWORD=two"])),
        (Found(_CONFIG, "env:PASSWORD", "value"),),
    ),
    Unlike(
        "another command", "another program runs", contained(web_with(Cmd=["serve"])),
        contained(web_with(Cmd=["worker"])),
        (Found(_CONFIG, "command", "value", severity=_HIGH),),
    ),
    Unlike(
        "another user", "it may read and write other files",
        contained(web_with(User="shop")), contained(web_with(User="root")),
        (Found(_CONFIG, "user", "value", severity=_HIGH),),
    ),
    Unlike(
        "a mount that can be written to", "it is not the same mount", _mounted(writable=False), _mounted(writable=True),
        (Found(_CONFIG, "mount:/srv", "writable"),),
    ),
    Unlike(
        "another memory limit", "it is killed earlier", _limited(Memory=2**28), _limited(Memory=2**29),
        (Found(_CONFIG, "limit:memory", "value", severity=_LOW),),
    ),
    Unlike(
        "another published port", "clients find it elsewhere", _published("8080"), _published("9090"),
        (Found(_CONFIG, "port:8000/tcp", "published"),),
    ),
    Unlike(
        "a container patched by hand", "its writable layer is not its image's",
        contained(), contained(changes=_PATCH),
        (Found("container/web", "layer:/usr/bin/tool", "change", _RIGHT, _HIGH),),
    ),
    Unlike(
        "a tag that moved", "the tag points at another image than the one that runs",
        contained(), contained(answers={f"/images/{REFERENCE}/json": _NEWER}),
        (Found("container/web", "tag", "moved"), ),
    ),
    Unlike(
        "another image under the same tag", "one tag on two images is the finding",
        contained(), contained(web(Image=NEWER_DIGEST), known(_NEWER)),
        (Found("container/web", "image", "config", severity=_CRITICAL),),
    ),
    Unlike(
        "an image of other configuration", "the configuration is part of the image",
        contained(),
        contained(web(Image=NEWER_DIGEST), known(image(NEWER_DIGEST, Config={"Env": ["A=2"], "Cmd": ["serve"]}))),
        (Found("container/web", "image", "config", severity=_CRITICAL),),
    ),
    Unlike(
        "another platform of one release", "a state of its own, and no drift in content",
        contained(), contained(_ARM_WEB, known(_ARM)),
        (Found("container/web", "image", "platform", severity=_CRITICAL),),
    ),
    Unlike(
        "another platform of who knows which release", "contents of unlike platforms cannot be held against each other",
        contained(),
        contained(_ARM_WEB, known({**_ARM, "RepoDigests": []})),
        (
            Found("container/web", "image", "platform", severity=_CRITICAL),
            Found("container/web", "image", "content", _UNLIKE, _INFO),
        ),
    ),
    Unlike(
        "replicas of which one was changed", "variants are counted, and told apart",
        hosting(container("a", "shop-web-1", compose("web")), container("b", "shop-web-2", compose("web"))),
        hosting(
            container("a", "shop-web-1", compose("web")),
            container("b", "shop-web-2", compose("web"), HostConfig={"Memory": 2**28}),
        ),
        (
            Found("container/shop.web", "", "", _LEFT, _HIGH),
            Found("container/shop.web#?", "", "", _RIGHT, _HIGH),
        ),
    ),
    Unlike(
        "a container that stopped", "what runs on one host alone is told",
        hosting(web()), hosting(), (Found("container/web", "", "", _LEFT, _HIGH),),
    ),
    Unlike(
        "consent withdrawn", "what the operator does not let be seen is unknown",
        hosting(web()), hosting(web(), consent=Consent.IMAGES),
        (Found("container/web*", "", "", _UNKNOWN, _INFO), Found("services", "", "", _UNKNOWN, _INFO)),
    ),
    Unlike(
        "an image and a container that was given more", "what a container was started with is not its image's",
        imaged(), lambda shop: running_image(shop, {"Env": ["PATH=/usr/bin", "A=1", "DEBUG=1"]}),
        (Found("image/config", "env:DEBUG", "", _RIGHT),),
    ),
)  # fmt: skip
