"""The environments: each has a name, the rule that it is there for, and what makes it and says which target to read."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

from tests.agent.trees import distribution, interpreter, put, system, venv
from tests.environments.artifacts import source_tree
from tests.environments.making import Workshop, uv


@dataclass(frozen=True)
class Case:
    """One environment; `told_otherwise` are the distributions of which pip inspect tells something else, by the rule.

    None: pip cannot be asked, as it is a root made by the rules of a format.
    """

    name: str
    rule: str
    make: Callable[[Workshop], str]
    told_otherwise: frozenset[str] | None = frozenset()
    moving: frozenset[str] = frozenset()  # attributes that have a path or a time in them, and so are another each time


_SPEC = """
Name: python3-pyyaml
Epoch: 1
Version: 6.0.1
Release: 19.fc41
Summary: x
License: MIT
BuildArch: noarch
AutoReqProv: no
%global __os_install_post %{nil}
%global source_date_epoch_from_changelog 0
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1
%description
x
%install
mkdir -p %{buildroot}
cp -r %{tree}/usr %{buildroot}/
%files
/usr/lib/python3.13/site-packages/*
"""

_TOOL = {
    "tool/__init__.py": "def main() -> None:\n    pass\n",
    "tool-1.0.dist-info/entry_points.txt": "[console_scripts]\ntool = tool:main\n",
}


def _venv(shop: Workshop) -> str:
    shop.pip(shop.by_venv(), shop.wheel("idna", "3.7"))
    return str(shop.venv)


def _uv(shop: Workshop) -> str:
    shop.uv_pip(shop.by_uv(), shop.wheel("idna", "3.7"))
    return str(shop.venv)


def _virtualenv(shop: Workshop) -> str:
    shop.run(sys.executable, "-m", "virtualenv", "--quiet", "--no-seed", "--no-download", shop.venv)
    shop.pip(shop.venv, shop.wheel("idna", "3.7"))
    return str(shop.venv)


def _pipx(shop: Workshop) -> str:
    tool = shop.wheel("tool", files=_TOOL)
    places = {"PIPX_HOME": str(shop.home / ".local/share/pipx"), "PIPX_BIN_DIR": str(shop.home / ".local/bin")}
    backend = {"PIPX_DEFAULT_BACKEND": "uv", "USE_EMOJI": "0"}
    shop.run(sys.executable, "-m", "pipx", "install", "--quiet", tool, environment={**places, **backend})
    return str(shop.home / ".local/share/pipx/venvs/tool")


def _uv_tool(shop: Workshop) -> str:
    tool = shop.wheel("tool", files=_TOOL)
    shop.run(uv(), "tool", "install", "--quiet", "--python", sys.executable, "--no-index", tool)
    return str(shop.home / ".local/share/uv/tools/tool")


def _system_site(shop: Workshop) -> str:
    root = shop.home / "root"
    interpreter(root)
    distribution(root / "usr/lib/python3/dist-packages", "requests", "2.28.1")
    distribution(root / "usr/lib/python3/dist-packages", "idna", "3.3")
    site = venv(
        root, "srv/app", configuration="home = /usr/bin\ninclude-system-site-packages = true\nversion = 3.11.2\n"
    )
    distribution(site, "idna", "3.7")
    return f"root:{system(root)}"


def _orphaned(shop: Workshop) -> str:
    shop.pip(shop.by_venv(), shop.wheel("idna", "3.7"))
    configuration = shop.venv / "pyvenv.cfg"
    lines = configuration.read_text().splitlines()
    gone = [
        f"{line.partition('=')[0]}= /opt/gone/bin" if line.startswith(("home", "executable")) else line
        for line in lines
    ]
    configuration.write_text("\n".join(gone))
    return str(shop.venv)


def _other_version_by_now(shop: Workshop) -> str:
    root = shop.home / "root"
    interpreter(root, abi="3.12", version="3.12.1")
    distribution(venv(root, "srv/app"), "idna", "3.7")
    return f"root:{system(root)}"


def _free_threaded(shop: Workshop) -> str:
    root = shop.home / "root"
    library = interpreter(root, "usr/local", abi="3.13t", version="3.13.1")
    distribution(library / "site-packages", "idna", "3.7")
    return f"root:{system(root)}"


def _pypy(shop: Workshop) -> str:
    root = shop.home / "root"
    put(root, "opt/pypy/lib/pypy3.10/os.py")
    distribution(root / "opt/pypy/lib/pypy3.10/site-packages", "idna", "3.7")
    return f"root:{system(root)}"


def _pyenv(shop: Workshop) -> str:
    root = shop.home / "root"
    for version in ("3.11.2", "3.12.1"):
        abi = version.rpartition(".")[0]
        library = interpreter(root, f"home/ann/.pyenv/versions/{version}", abi=abi, version=version)
        distribution(library / "site-packages", "idna", "3.7")
    return f"root:{system(root)}"


def _self_built(shop: Workshop) -> str:
    root = shop.home / "root"
    library = interpreter(root, "usr/local", abi="3.14", version="3.14.0")
    details = {
        "schema_version": "1.0",
        "language": {
            "version": "3.14",
            "version_info": {"major": 3, "minor": 14, "micro": 0, "releaselevel": "final", "serial": 0},
        },
    }
    put(library, "build-details.json", json.dumps(details))
    (root / "usr/local/include/python3.14/patchlevel.h").unlink()
    distribution(library / "site-packages", "idna", "3.7")
    return f"root:{system(root)}"


def _user_site(shop: Workshop) -> str:
    root = shop.home / "root"
    interpreter(root)
    site = root / "home/ann/.local/lib/python3.11/site-packages"
    site.mkdir(parents=True)
    shop.run(
        sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target", site, shop.wheel("idna", "3.7")
    )
    return f"root:{system(root)}"


def _conda(shop: Workshop, build: str = "py311_mkl_0") -> str:
    root = shop.home / "root"
    library = interpreter(root, "opt/conda/envs/ml")
    site = library / "site-packages"
    made = distribution(site, "numpy", "1.26.4")
    put(made, "INSTALLER", "conda\n")
    put(made, "direct_url.json", '{"url": "file:///croot/numpy_1701/dist/numpy-1.26.4.whl"}')
    meta = root / "opt/conda/envs/ml/conda-meta"
    files = [str(path.relative_to(root / "opt/conda/envs/ml")) for path in site.rglob("*") if path.is_file()]
    for name, version, string, owned in (
        ("numpy", "1.26.4", build, sorted(files)),
        ("mkl", "2023.1.0", "h213fc3f_46344", ["lib/libmkl_rt.so.2"]),
    ):
        facts = {
            "name": name,
            "version": version,
            "build": string,
            "build_number": 0,
            "channel": "defaults",
            "files": owned,
            "sha256": f"{len(string):064x}",
        }
        put(meta, f"{name}-{version}-{string}.json", json.dumps(facts))
    put(meta, "history", "==> 2026-11-01 12:00:00 <==\n")
    return f"root:{system(root)}"


def _conda_openblas(shop: Workshop) -> str:
    return _conda(shop, "py311_openblas_1")


def _apk(shop: Workshop) -> str:
    root = shop.home / "root"
    library = interpreter(root, abi="3.12", version="3.12.8")
    made = distribution(library / "site-packages", "idna", "3.10")
    put(root, "etc/os-release", "ID=alpine\nVERSION_ID=3.21.0\n")
    paths = "".join(f"R:{path.name}\n" for path in sorted(made.iterdir()))
    folder = made.relative_to(root)
    put(
        root,
        "lib/apk/db/installed",
        f"C:Q1Nn5pXoXgV4mDdOEGS+5nZWFPnnM=\nP:py3-idna\nV:3.10-r0\nA:noarch\no:py3-idna\nF:{folder}\n{paths}\n"
        "C:Q1aVUVGVAzTKBX5ORTQOrPhxTZgTg=\nP:musl\nV:1.2.5-r9\nA:x86_64\no:musl\nF:lib\nR:ld-musl-x86_64.so.1\n\n",
    )
    return f"root:{root}"


def _distroless(shop: Workshop) -> str:
    root = system(shop.home / "root")
    (root / "var/lib/dpkg/status").unlink()
    interpreter(root)
    distribution(root / "usr/lib/python3/dist-packages", "idna", "3.3")
    for name, version in (("libc6", "2.36-9"), ("python3.11-minimal", "3.11.2-6")):
        put(root, f"var/lib/dpkg/status.d/{name}", f"Package: {name}\nVersion: {version}\nArchitecture: amd64\n")
        put(root, f"var/lib/dpkg/status.d/{name}.md5sums", "d41d8cd98f00b204e9800998ecf8427e  usr/share/doc/x\n")
    return f"root:{root}"


def _debian_layout(shop: Workshop) -> str:
    root = system(shop.home / "root")
    interpreter(root)
    tree = shop.home / "deb"
    made = distribution(tree / "usr/lib/python3/dist-packages", "pyyaml", "6.0")
    (made / "RECORD").unlink()
    control = "Package: python3-yaml\nVersion: 6.0-3\nArchitecture: all\nMaintainer: x <x@example.org>\n"
    put(tree, "DEBIAN/control", f"{control}Description: x\n")
    shop.run("dpkg-deb", "--root-owner-group", "--build", tree, "yaml.deb")
    shop.run("dpkg", f"--root={root}", "--force-not-root", "--force-script-chrootless", "--install", "yaml.deb")
    distribution(root / "usr/local/lib/python3.11/dist-packages", "idna", "3.7")
    distribution(root / "usr/lib/python3/dist-packages", "idna", "3.3")
    return f"root:{root}"


def _rpm(shop: Workshop) -> str:
    root = shop.home / "root"
    put(root, "etc/os-release", "ID=fedora\nVERSION_ID=41\n")
    interpreter(root, abi="3.13", version="3.13.1")
    made = distribution(shop.home / "tree/usr/lib/python3.13/site-packages", "pyyaml", "6.0.1")
    put(made, "INSTALLER", "rpm\n")
    put(shop.home, "yaml.spec", _SPEC)
    defined = ("--define", f"_topdir {shop.home}/rpm", "--define", f"tree {shop.home}/tree", "--quiet")
    shop.run("rpmbuild", "-bb", *defined, shop.home / "yaml.spec")
    database = ("--root", root, "--dbpath", "/usr/lib/sysimage/rpm")
    shop.run("rpm", *database, "--initdb")
    [package] = (shop.home / "rpm/RPMS/noarch").glob("*.rpm")
    shop.run("rpm", *database, "--install", "--nodeps", "--noscripts", package)
    return f"root:{root}"


def _build_tag(shop: Workshop) -> str:
    shop.pip(shop.by_venv(), shop.wheel("idna", "3.7", build="2"))
    return str(shop.venv)


def _built_from_source(shop: Workshop) -> str:
    shop.pip(shop.by_venv(), source_tree(shop.home / "src/shop", "shop"))
    return str(shop.venv)


def _by_url(shop: Workshop) -> str:
    site = shop.site(shop.by_venv())
    shop.pip(shop.venv, shop.wheel("idna", "3.7"))
    archive = {
        "archive_info": {"hashes": {"sha256": "0" * 64}},
        "url": "https://ann:hunter2@files.example/idna.whl?token=x#y",
    }
    put(site, "idna-3.7.dist-info/direct_url.json", json.dumps(archive))
    return str(shop.venv)


def _by_commit(shop: Workshop) -> str:
    tree = shop.committed(source_tree(shop.home / "src/shop", "shop"))
    shop.pip(shop.by_venv(), f"git+file://{tree}")
    return str(shop.venv)


def _editable(shop: Workshop) -> str:
    tree = shop.committed(source_tree(shop.home / "src/shop", "shop"))
    shop.pip(shop.by_venv(), "--editable", tree)
    return str(shop.venv)


def _editable_without_git(shop: Workshop) -> str:
    shop.pip(shop.by_venv(), "--editable", source_tree(shop.home / "src/shop", "shop"))
    return str(shop.venv)


def _editable_dirty(shop: Workshop) -> str:
    target = _editable(shop)
    put(shop.home / "src/shop", "src/shop/__init__.py", "edited by hand\n")
    return target


def _editable_by_finder(shop: Workshop) -> str:
    site = shop.site(shop.by_venv())
    tree = shop.committed(source_tree(shop.home / "src/shop", "shop"))
    made = distribution(site, "shop", "1.0", {
        "__editable__.shop-1.0.pth": "import __editable___shop_1_0_finder; __editable___shop_1_0_finder.install()\n",
        "__editable___shop_1_0_finder.py": f"MAPPING = {{'shop': '{tree}/src/shop'}}\nraise SystemExit\n",
    })  # fmt: skip
    put(made, "direct_url.json", json.dumps({"dir_info": {"editable": True}, "url": f"file://{tree}"}))
    return str(shop.venv)


def _egg_link(shop: Workshop) -> str:
    site = shop.site(shop.by_venv())
    tree = shop.committed(source_tree(shop.home / "src/shop", "shop"))
    put(tree, "shop.egg-info/PKG-INFO", "Metadata-Version: 1.0\nName: shop\nVersion: 1.0\n")
    put(site, "shop.egg-link", f"{tree}\n.\n")
    put(site, "easy-install.pth", f"{tree}\n")
    return str(shop.venv)


def _egg_info_directory(shop: Workshop) -> str:
    put(shop.site(shop.by_venv()), "old-1.0.egg-info/PKG-INFO", "Metadata-Version: 1.1\nName: old\nVersion: 1.0\n")
    put(shop.site(), "old-1.0.egg-info/installed-files.txt", "../old.py\nPKG-INFO\n")
    put(shop.site(), "old.py", "x\n")
    return str(shop.venv)


def _egg_info_file(shop: Workshop) -> str:
    put(shop.site(shop.by_venv()), "old-1.0.egg-info", "Metadata-Version: 1.0\nName: old\nVersion: 1.0\n")
    put(shop.site(), "old.py", "x\n")
    return str(shop.venv)


def _egg_directory(shop: Workshop) -> str:
    site = shop.site(shop.by_venv())
    put(site, "old-1.0-py3.11.egg/EGG-INFO/PKG-INFO", "Metadata-Version: 1.0\nName: old\nVersion: 1.0\n")
    put(site, "old-1.0-py3.11.egg/old.py", "x\n")
    put(site, "easy-install.pth", "./old-1.0-py3.11.egg\n")
    return str(shop.venv)


def _egg_zip(shop: Workshop) -> str:
    target = _egg_directory(shop)
    egg = shop.site() / "old-1.0-py3.11.egg"
    packed = shutil.make_archive(str(shop.home / "egg"), "zip", egg)
    shutil.rmtree(egg)
    shutil.move(packed, egg)
    return target


def _stale(shop: Workshop) -> str:
    shop.pip(shop.by_venv(), shop.wheel("idna", "3.7"))
    put(shop.site(), "idna-3.4.dist-info/METADATA", "Metadata-Version: 2.1\nName: idna\nVersion: 3.4\n")
    put(shop.site(), "idna-3.4.dist-info/RECORD", "idna/core.py,sha256=x,17\nidna/__init__.py,sha256=y,99\n")
    return str(shop.venv)


def _interrupted(shop: Workshop) -> str:
    shop.pip(shop.by_venv(), shop.wheel("idna", "3.7"), shop.wheel("six", "1.17.0"))
    (shop.site() / "idna-3.7.dist-info/METADATA").unlink()
    return str(shop.venv)


def _leftover(shop: Workshop) -> str:
    shop.pip(shop.by_venv(), shop.wheel("idna", "3.7"))
    shutil.copytree(shop.site() / "idna-3.7.dist-info", shop.site() / "~dna-3.4.dist-info")
    return str(shop.venv)


def _shadowed(shop: Workshop) -> str:
    shop.pip(shop.by_venv(), shop.wheel("idna", "3.7"))
    distribution(shop.home / "more", "idna", "3.4")
    distribution(shop.home / "more", "six", "1.17.0")
    put(shop.site(), "more.pth", f"{shop.home}/more\n/opt/gone\n# a comment\n")
    return str(shop.venv)


def _vendored(shop: Workshop) -> str:
    files = {"tool/__init__.py": "x\n", "tool/_vendor/idna-3.4.dist-info/METADATA": "Name: idna\nVersion: 3.4\n"}
    shop.pip(shop.by_venv(), shop.wheel("tool", files=files))
    return str(shop.venv)


def _requested(shop: Workshop) -> str:
    shop.wheel("idna", "3.7")
    shop.pip(shop.by_venv(), shop.wheel("requests", "2.32.3", headers=("Requires-Dist: idna<4,>=2.5",)))
    return str(shop.venv)


def _unmet(shop: Workshop) -> str:
    wheels = (
        shop.wheel("requests", "2.32.3", headers=("Requires-Dist: idna<4,>=2.5", "Requires-Dist: certifi")),
        shop.wheel("idna", "1.0"),
    )
    shop.pip(shop.by_venv(), "--no-deps", *wheels)
    return str(shop.venv)


def _not_for_here(shop: Workshop) -> str:
    headers = (
        'Requires-Dist: pywin32; sys_platform == "win32"',
        'Requires-Dist: tomli; python_version < "3.11"',
        'Requires-Dist: pysocks; extra == "socks"',
        "Provides-Extra: socks",
        "Requires-Python: >=3.8",
    )
    shop.pip(shop.by_venv(), shop.wheel("requests", "2.32.3", headers=headers))
    return str(shop.venv)


def _extra_asked_for(shop: Workshop) -> str:
    extra = ('Requires-Dist: pysocks; extra == "socks"', "Provides-Extra: socks")
    wheels = (
        shop.wheel("requests", "2.32.3", headers=extra),
        shop.wheel("shop", headers=("Requires-Dist: requests[socks]",)),
    )
    shop.pip(shop.by_venv(), "--no-deps", *wheels)
    return str(shop.venv)


def _odd_requirements(shop: Workshop) -> str:
    headers = (f"Requires-Dist: dep; {'(' * 500}python_version > '3'{')' * 500}", "Requires-Dist: not a requirement!")
    distribution(shop.site(shop.by_venv()), "trap", "1.0")
    made = shop.site() / "trap-1.0.dist-info/METADATA"
    made.write_text("\n".join(["Metadata-Version: 2.1", "Name: trap", "Version: 1.0", *headers, "", ""]))
    return str(shop.venv)


def _hooks(shop: Workshop) -> str:
    site = shop.site(shop.by_venv())
    put(site, "distutils-precedence.pth", "import os; os.environ.get('X')\n")
    put(site, "paths.pth", "../../../lib\n")
    put(site, "sitecustomize.py", "x = 1\n")
    put(site, "usercustomize.py", "y = 1\n")
    return str(shop.venv)


def _start_files(shop: Workshop) -> str:
    root = shop.home / "root"
    library = interpreter(root, abi="3.15", version="3.15.0")
    put(library, "site-packages/tool.start", "tool:main\n")
    distribution(library / "site-packages", "tool", "1.0")
    return f"root:{system(root)}"


def _without_record(shop: Workshop) -> str:
    shop.pip(shop.by_venv(), shop.wheel("idna", "3.7"))
    (shop.site() / "idna-3.7.dist-info/RECORD").unlink()
    return str(shop.venv)


def _local_version(shop: Workshop) -> str:
    shop.pip(shop.by_venv(), shop.wheel("torch", "2.5.1+cu121"))
    return str(shop.venv)


def _legacy_version(shop: Workshop) -> str:
    distribution(shop.site(shop.by_venv()), "old", "2004d-final")
    return str(shop.venv)


def _unnormalised(shop: Workshop) -> str:
    shop.pip(shop.by_venv(), shop.wheel("Foo.Bar_Baz", dist_info="Foo.Bar_Baz-1.0"))
    return str(shop.venv)


def _invalid(shop: Workshop) -> str:
    site = shop.site(shop.by_venv())
    put(site, "nameless-1.0.dist-info/METADATA", "Summary: neither name nor version\n")
    put(site, "climber-1.0.dist-info/METADATA", "Name: ../../x\nVersion: 1.0\n")
    put(site, "forger-1.0.dist-info/METADATA", "Name: a\u202etxt\nVersion: 1.0\n")
    put(site, "latin-1.0.dist-info/METADATA", b"Name: latin\nVersion: 1.0\nAuthor: J\xf6rg\n")
    return str(shop.venv)


def _crlf_record(shop: Workshop) -> str:
    shop.pip(shop.by_venv(), shop.wheel("idna", "3.7"))
    record = shop.site() / "idna-3.7.dist-info/RECORD"
    record.write_bytes(record.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").replace(b"idna/", b"idna\\"))
    return str(shop.venv)


def _edited(shop: Workshop) -> str:
    shop.pip(shop.by_venv(), shop.wheel("idna", "3.7"), shop.wheel("six", "1.17.0"))
    put(shop.site(), "idna/__init__.py", "3.8\n")
    (shop.site() / "six/__init__.py").unlink()
    return str(shop.venv)


def _project(shop: Workshop) -> str:
    root = system(shop.home / "root")
    interpreter(root)
    put(root, "srv/shop/manage.py", "x\n")
    distribution(venv(root, "srv/shop/.venv"), "django", "5.0")
    return f"root:{root}"


def _project_in_git(shop: Workshop) -> str:
    root = system(shop.home / "root")
    interpreter(root)
    tree = source_tree(root / "srv/shop", "shop")
    put(tree, ".gitignore", ".venv/\n")
    shop.committed(tree)
    shop.git(tree, "remote", "add", "origin", "https://ann:hunter2@git.example/shop.git")
    put(tree, "src/shop/__init__.py", "edited by hand\n")
    distribution(venv(root, "srv/shop/.venv"), "django", "5.0")
    return f"root:{root}"


def _two_pythons_in_one_prefix(shop: Workshop) -> str:
    root = system(shop.home / "root")
    for abi, version in (("3.11", "3.11.9"), ("3.12", "3.12.1")):
        distribution(interpreter(root, "opt/python", abi=abi, version=version) / "site-packages", "idna", "3.7")
    return f"root:{root}"


def _tools_of_home(shop: Workshop) -> str:
    root = system(shop.home / "root")
    for place in (
        "home/ann/.cache/pypoetry/virtualenvs/shop-Xy-py3.11", "home/ann/.local/share/virtualenvs/api-aB",
        "home/ann/.virtualenvs/wrapper", "home/ann/.local/share/hatch/env/virtual/shop/aB/shop", "root/.venvs/odd",
    ):  # fmt: skip
        distribution(venv(root, place), "idna", "3.7")
    return f"root:{root}"


_WITH_PATH = frozenset({"content", "code", "pure", "hooks"})
_BUILT_AGAIN = frozenset({"content"})  # rpm's own hash is over the time of the build

CASES = (
    Case("venv", "a venv of the standard library with what pip installed", _venv),
    Case("uv", "a venv of uv has no pip, and another pyvenv.cfg", _uv),
    Case("virtualenv", "virtualenv writes another pyvenv.cfg", _virtualenv),
    Case("pipx", "a tool of pipx is an environment", _pipx),
    Case("uv-tool", "a tool of uv is an environment", _uv_tool),
    Case("system-site", "the parent's packages are visible where the venv says so", _system_site, None),
    Case("orphaned", "a venv whose home is gone", _orphaned),
    Case("other-version", "a venv whose base is of another version by now", _other_version_by_now, None),
    Case("free-threaded", "python3.13t is a build of its own", _free_threaded, None),
    Case("pypy", "another implementation", _pypy, None),
    Case("pyenv", "each version of pyenv is an interpreter", _pyenv, None),
    Case("self-built", "the official images' Python, whose version build-details.json tells", _self_built, None),
    Case("user-site", "a user's site directory belongs to no interpreter's", _user_site, None),
    Case("conda", "conda-meta gives build and channel, and what is no Python distribution", _conda, None),
    Case("conda-openblas", "the build string is identity", _conda_openblas, None),
    Case("apk", "a distribution that apk owns", _apk, None),
    Case("rpm", "a distribution that rpm owns", _rpm, None, _BUILT_AGAIN),
    Case("distroless", "packages in status.d", _distroless, None),
    Case("debian", "dist-packages, what dpkg owns there, and what pip put before it", _debian_layout, None),
    Case("build-tag", "the build number of a wheel", _build_tag),
    Case("from-source", "built from a source tree by pip", _built_from_source),
    Case("by-url", "an archive's hash, and no credentials", _by_url),
    Case("by-commit", "the commit is the identity of what comes from version control", _by_commit),
    Case("editable", "an editable install is its checkout", _editable, moving=_WITH_PATH),
    Case("editable-without-git", "whose files are all that tells what it is", _editable_without_git, moving=_WITH_PATH),
    Case("editable-dirty", "with changes that are in no commit", _editable_dirty, moving=_WITH_PATH),
    Case("editable-finder", "whose path only a finder's mapping tells", _editable_by_finder, moving=_WITH_PATH),
    Case("egg-link", "setup.py develop", _egg_link),
    Case("egg-info-directory", "metadata in a directory", _egg_info_directory),
    Case("egg-info-file", "metadata in a single file", _egg_info_file),
    Case("egg-directory", "an egg that easy-install.pth names", _egg_directory, frozenset({"old"})),
    Case("egg-zip", "the same zipped", _egg_zip, frozenset({"old"})),
    Case("stale", "a stale dist-info beside the one that imports", _stale, frozenset({"idna"})),
    Case(
        "interrupted",
        "what an interrupted upgrade left without METADATA: pip itself ends with an error",
        _interrupted,
        None,
    ),
    Case("leftover", "what pip moves aside and did not remove", _leftover, moving=_WITH_PATH),
    Case("shadowed", "the first entry of sys.path wins", _shadowed, frozenset({"six"})),
    Case("vendored", "metadata of vendored packages is not on sys.path", _vendored),
    Case("requested", "what a person asked for, and what came along", _requested),
    Case("unmet", "requirements that are missing or conflict", _unmet),
    Case("not-for-here", "markers of this environment decide which requirements apply", _not_for_here),
    Case("extra", "an extra applies where something asks for it", _extra_asked_for),
    Case("odd-requirements", "a requirement that no parser takes", _odd_requirements),
    Case("hooks", "code that runs at start", _hooks),
    Case("start-files", "PEP 829", _start_files, None),
    Case("without-record", "managed elsewhere is not broken", _without_record),
    Case("local-version", "a local segment is a version of its own", _local_version),
    Case("legacy-version", "a version of before PEP 440", _legacy_version),
    Case("unnormalised", "a name in another spelling", _unnormalised),
    Case("invalid", "no name, no version, or none that is one: pip itself ends with an error", _invalid, None),
    Case("crlf-record", "RECORD with other line ends and slashes", _crlf_record),
    Case("edited", "files edited in place, under verify", _edited),
    Case("project", "a venv in the directory of its application", _project, None),
    Case("project-in-git", "the same as a checkout with changes that are in no commit", _project_in_git, None),
    Case("two-pythons", "one prefix with two Pythons", _two_pythons_in_one_prefix, None),
    Case("home", "where tools keep the environments of projects", _tools_of_home, None),
)
