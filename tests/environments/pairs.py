"""The pairs that must compare as the same: each has the rule that it is there for."""

import shutil
import sys

from envparity_agent.canonical import canonical
from envparity_agent.fingerprint import Fingerprint
from tests.agent.collectors.answers import (
    CONFIG_DIGEST,
    INDEX_DIGEST,
    NEWER_DIGEST,
    OCI_INDEX,
    OCI_MANIFEST,
    compose,
    container,
    containerd_image,
    image,
)
from tests.agent.trees import distribution, put, system
from tests.environments.making import Workshop, uv
from tests.environments.sides import (
    CONTAINERD,
    PODMAN,
    REFERENCE,
    TOOL,
    Pair,
    by_older_agent,
    checkout,
    configured,
    contained,
    debian,
    editable,
    filled,
    hosting,
    imaged,
    in_containerd,
    known,
    piped,
    read,
    root_of,
    running_image,
    virtualenv,
    web,
    web_with,
)


def _tool(shop: Workshop) -> str:
    return str(shop.wheel("tool", files=TOOL))


def _rebuilt(shop: Workshop) -> Fingerprint:
    shutil.rmtree(shop.venv)
    return read(filled(shop, _tool(shop)), verify=True)


def _compiled(shop: Workshop) -> Fingerprint:
    made = filled(shop, _tool(shop))
    shop.run(sys.executable, "-m", "compileall", "-q", made)
    return read(made, verify=True)


def _crlf(shop: Workshop) -> Fingerprint:
    made = filled(shop, _tool(shop))
    rows = shop.site() / "tool-1.0.dist-info/RECORD"
    rows.write_bytes(rows.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").replace(b"tool/", b"tool\\"))
    return read(made, verify=True)


def _as_dependency(shop: Workshop, *more: str, place: str = "app/.venv") -> Fingerprint:
    shop.wheel("idna", "3.7")
    shop.wheel("requests", "2.32.3", headers=("Requires-Dist: idna",))
    return read(piped(shop, "requests", *more, place=place))


def _synced(shop: Workshop) -> Fingerprint:
    """The environment that uv makes of the project that `_locked` locks."""
    shop.run(uv(), "sync", "--quiet", "--find-links", "wheels", "--no-index", "--python", sys.executable)
    return read(shop.home / ".venv")


def _locked(shop: Workshop) -> Fingerprint:
    shop.wheel("idna", "3.7")
    shop.wheel("requests", "2.32.3", headers=("Requires-Dist: idna",))
    project = '[project]\nname = "shop"\nversion = "1.0"\nrequires-python = ">=3.11"\ndependencies = ["requests"]\n'
    put(shop.home, "pyproject.toml", project)
    shop.run(uv(), "lock", "--quiet", "--find-links", "wheels", "--no-index", "--python", sys.executable)
    return read(shop.home / "uv.lock")


def _exported(shop: Workshop) -> Fingerprint:
    made = shop.run(uv(), "export", "--quiet", "--frozen", "--format", "pylock.toml", "--no-emit-project")
    return read(put(shop.home, "pylock.toml", made))


def _frozen(shop: Workshop) -> Fingerprint:
    told = shop.run(uv(), "pip", "freeze", "--python", shop.venv / "bin/python")
    return read(put(shop.home, "frozen.txt", told))


def _cloned(shop: Workshop, packed: bool) -> Fingerprint:
    origin = shop.home / "origin"
    if not origin.exists():
        put(origin, "manage.py", "x\n")
        shop.committed(origin)
    place = shop.home / f"{'packed' if packed else 'loose'}/srv/shop"
    shop.git(shop.home, "clone", "--quiet", "--no-local", str(origin), str(place))
    if packed:
        shop.git(place, "gc", "--quiet")
        shop.git(place, "checkout", "--quiet", "--detach")
    root = place.parent.parent
    return read(f"root:{system(root)}", applications={"shop": "srv/shop"})


def _deb(shop: Workshop, name: str) -> str:
    tree = shop.home / name
    control = f"Package: {name}\nVersion: 1.0-1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n"
    put(tree, "DEBIAN/control", control)
    put(tree, f"usr/share/{name}/words", "x\n")
    shop.run("dpkg-deb", "--root-owner-group", "--build", tree, f"{name}.deb")
    return f"{name}.deb"


def _unpacked(shop: Workshop, *names: str) -> Fingerprint:
    root = system(shop.home / "-".join(names))
    for name in names:
        made = _deb(shop, name)
        shop.run("dpkg", f"--root={root}", "--force-not-root", "--force-script-chrootless", "--install", made)
    return read(f"root:{root}")


def _copied(shop: Workshop) -> Fingerprint:
    there = shop.home / "copy"
    shutil.copytree(debian(shop), there, symlinks=True)
    return read(f"root:{there}")


def _everything(shop: Workshop) -> Fingerprint:
    """A host with what only a newer agent tells: an application, conda's packages, what is in containers."""
    put(debian(shop), "srv/ml/conda-meta/mkl-1-h1_0.json", b'{"name": "mkl", "version": "1", "build": "h1_0"}')
    distribution(debian(shop) / "srv/ml/lib/python3.11/site-packages", "numpy", "1.26.4")
    put(debian(shop), "srv/ml/pyvenv.cfg", "home = /usr/bin\nversion = 3.11.2\n")
    one = container("a", "web", HostConfig={"PortBindings": {"80/tcp": [{"HostPort": "80"}]}})
    return hosting(one, applications={"named": "srv/ml"}, files=("etc/timezone",), verify=True)(shop)


def _kept(shop: Workshop) -> Fingerprint:
    found = root_of(shop)
    return read(put(shop.home, "kept.json", canonical(found.document())))


def _published(host_port: str, at_the_moment: str) -> dict[str, object]:
    bound = {"8000/tcp": [{"HostIp": "", "HostPort": at_the_moment}]}
    return web(
        HostConfig={"PortBindings": {"8000/tcp": [{"HostIp": "", "HostPort": host_port}]}},
        NetworkSettings={"Ports": bound},
    )


def _replicas(count: int) -> tuple[dict[str, object], ...]:
    return tuple(container(one, f"shop-web-{one}", compose("web")) for one in "abc"[:count])


_WORK = [
    {"Path": "/var/log/shop.log", "Kind": 1},
    {"Path": "/srv/shop/__pycache__", "Kind": 1},
]
_INDEX = {"mediaType": OCI_INDEX, "digest": NEWER_DIGEST}
_BUILT_AGAIN = {**containerd_image(RepoDigests=[]), "Id": NEWER_DIGEST, "Descriptor": _INDEX}

SAME = (
    Pair(
        "pip and uv", "one wheel is the same whoever installed it: RECORD, INSTALLER and shebangs are the installer's",
        lambda shop: read(piped(shop, _tool(shop)), verify=True),
        lambda shop: read(filled(shop, _tool(shop), place="other/.venv"), verify=True),
    ),
    Pair(
        "two prefixes", "where an environment lies is no content",
        lambda shop: read(filled(shop, _tool(shop)), verify=True),
        lambda shop: read(filled(shop, _tool(shop), place="srv/elsewhere"), verify=True),
    ),
    Pair(
        "venv and uv", "the creator's pyvenv.cfg says who made it, and nothing of what is in it",
        lambda shop: read(shop.by_venv()), lambda shop: read(shop.by_uv(shop.home / "other")),
    ),
    Pair(
        "virtualenv and uv", "virtualenv's files at start are its own",
        lambda shop: read(virtualenv(shop, shop.wheel("idna", "3.7"))),
        lambda shop: read(filled(shop, shop.wheel("idna", "3.7"))),
    ),
    Pair(
        "a venv that was made anew", "the same wheels in a new directory are the same environment",
        lambda shop: read(filled(shop, _tool(shop)), verify=True), _rebuilt,
    ),
    Pair(
        "compiled and not", "bytecode is a cache",
        lambda shop: read(filled(shop, _tool(shop), place="other"), verify=True), _compiled,
    ),
    Pair(
        "CRLF and LF", "RECORD is CSV with either line end, and either slash",
        lambda shop: read(filled(shop, _tool(shop), place="other"), verify=True), _crlf,
    ),
    Pair(
        "a dist-info in another spelling", "a name is its normalised form, whatever the directory is called",
        lambda shop: read(filled(shop, shop.wheel("Foo.Bar_Baz", dist_info="Foo.Bar_Baz-1.0"))),
        lambda shop: read(filled(shop, shop.wheel("Foo.Bar_Baz", dist_info="foo_bar_baz-1.0"), place="other")),
    ),
    Pair(
        "asked for and brought along", "whether a person asked for it is for people",
        _as_dependency, lambda shop: _as_dependency(shop, "idna", place="other"),
    ),
    Pair(
        "by name and by address", "where an archive came from is provenance, its content is what counts",
        lambda shop: read(piped(shop, shop.wheel("idna", "3.7"))),
        lambda shop: read(piped(shop, "idna", place="other")),
    ),
    Pair(
        "1.0 and 1.0.0", "versions are equal by PEP 440",
        lambda shop: read(put(shop.home, "requirements.txt", "six==1.0.0\nFoo.Bar==1\n")),
        lambda shop: read(filled(shop, shop.wheel("six", "1.0"), shop.wheel("foo-bar", "1.0"))),
    ),
    Pair("a lock and what was synced from it", "what a lock names is what is installed", _locked, _synced),
    Pair("two forms of one lock", "uv.lock and pylock.toml name the same", _locked, _exported),
    Pair(
        "frozen requirements and their venv", "a list of pins is what is installed",
        lambda shop: read(filled(shop, _tool(shop), shop.wheel("Foo.Bar", dist_info="Foo.Bar-1.0"))), _frozen,
    ),
    Pair(
        "loose and packed", "how git keeps a commit is no content, nor is the branch that leads to it",
        lambda shop: _cloned(shop, packed=False), lambda shop: _cloned(shop, packed=True),
    ),
    Pair(
        "one commit at two places", "an editable installation is its commit, wherever the checkout lies",
        lambda shop: read(editable(shop, checkout(shop))),
        lambda shop: read(editable(shop, checkout(shop, "home/ann/shop"), place="other/.venv")),
    ),
    Pair("read twice", "the same root twice gives the same facts", root_of, root_of),
    Pair("a root and its copy", "times and inodes are no content", root_of, _copied),
    Pair("kept in a file", "a fingerprint that was kept is the fingerprint", root_of, _kept),
    Pair(
        "installed in another order", "dpkg's database is a set",
        lambda shop: _unpacked(shop, "one", "two"), lambda shop: _unpacked(shop, "two", "one"),
    ),
    Pair(
        "an .env in another form", "comments, order, quotes and line ends are no values",
        configured(".env", "A=1\nB=two words\n"), configured(".env", "# words\r\nexport B='two words'\r\n\r\nA=1\r\n"),
    ),
    Pair(
        "an ini file in another form", "sections and keys are a set",
        configured("a.ini", "[a]\nx = 1\ny = 2\n[b]\nz=3\n"),
        configured("a.ini", "; words\r\n[b]\r\nz: 3\r\n[a]\r\ny=2\r\nx=1\r\n"),
    ),
    Pair(
        "a YAML file in another form", "flow and block, order and comments",
        configured("a.yaml", "a: {b: 1, c: [x, y]}\n"),
        configured("a.yaml", "# words\r\na:\r\n  c:\r\n  - x\r\n  - y\r\n  b: 1\r\n"),
    ),
    Pair(
        "a JSON file in another form", "white space and order",
        configured("a.json", '{"a": {"b": 1, "c": "\\u00e9"}}'),
        configured("a.json", '{\r\n "a": {"c": "é",\t"b": 1}\r\n}\r\n'),
    ),
    Pair(
        "a TOML file in another form", "dotted keys and tables",
        configured("a.toml", "a.b = 1\na.c = 'x'\n"), configured("a.toml", '# words\r\n[a]\r\nc = "x"\r\nb = 1\r\n'),
    ),
    Pair(
        "Docker's two stores", "the image id is another digest in containerd's store: the content is the same",
        contained(web()), contained(in_containerd(), {**CONTAINERD, **known(containerd_image())}),
    ),
    Pair(
        "Docker and Podman", "libpod omits the prefix of an id",
        contained(web()), contained(web(), {**PODMAN, **known(image(CONFIG_DIGEST[7:]))}),
    ),
    Pair(
        "pushed again", "another tool compresses layers anew: another manifest, the same content",
        contained(in_containerd(), {**CONTAINERD, **known(containerd_image())}),
        contained(
            in_containerd(ImageManifestDescriptor={"mediaType": OCI_MANIFEST, "digest": NEWER_DIGEST}),
            {**CONTAINERD, **known(containerd_image())},
        ),
    ),
    Pair(
        "built again with provenance", "an attestation moves the index with every build, and nothing that runs",
        contained(in_containerd(), {**CONTAINERD, **known(containerd_image())}),
        contained(in_containerd(Image=NEWER_DIGEST), {**CONTAINERD, **known(_BUILT_AGAIN)}),
    ),
    Pair(
        "a mirror", "a registry gives one digest under another name",
        contained(web()),
        contained(
            web_with(Image="mirror.example/proxy/web:1.4"),
            known(image(RepoDigests=[f"mirror.example/proxy/web@{INDEX_DIGEST}"]), "mirror.example/proxy/web:1.4"),
        ),
    ),
    Pair(
        "two tags of one build", "when an image was built and which tags it has is for people",
        contained(web(), known(image())),
        contained(web(), known(image(RepoTags=[REFERENCE, "x:1"], RepoDigests=[], Created="2026-12-24T00:00:00Z"))),
    ),
    Pair("one replica and three", "replicas that are alike are one", hosting(*_replicas(1)), hosting(*_replicas(3))),
    Pair(
        "ports that the engine chooses", "where a port leads at the moment moves by itself",
        contained(_published("", "32768")), contained(_published("0", "49153")),
    ),
    Pair("an image and a container of it", "a container that was given nothing is its image", imaged(), running_image),
    Pair(
        "running and stopped", "whether a container runs at the moment it is asked for moves by itself",
        contained(web()),
        contained(web(State={"Status": "exited", "Running": False, "Pid": 0, "StartedAt": "2026-11-01T00:00:00Z"})),
    ),
    Pair(
        "logs and caches", "what a program writes in the course of its work is no change",
        contained(changes=b"null"), contained(changes=_WORK),
    ),
    Pair(
        "variables in another order", "the environment is a set",
        contained(web_with(Env=["A=1", "B=2"])), contained(web_with(Env=["B=2", "A=1"])),
    ),
    Pair(
        "a volume without a name", "an engine makes up the names of anonymous volumes",
        contained(web(Mounts=[{"Type": "volume", "Name": "b" * 64, "Destination": "/data", "RW": True}])),
        contained(web(Mounts=[{"Type": "volume", "Name": "c" * 64, "Destination": "/data", "RW": True}])),
    ),
    Pair(
        "an older agent", "what an older agent does not read is not examined, and no difference",
        lambda shop: by_older_agent(_everything(shop)), _everything,
    ),
    Pair(
        "an older agent on the right", "whichever side it is on",
        _everything, lambda shop: by_older_agent(_everything(shop)),
    ),
)  # fmt: skip
