"""Checks which native libraries are told of the Python environments of a root, and by whom they are loaded."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.system import libraries
from envparity_agent.fingerprint import Attributes, Reason, Section, Status
from envparity_agent.kinds import KINDS
from envparity_agent.root import Root
from tests.agent.collectors.system.native import library, told_by_readelf
from tests.agent.roots import fingerprint_of
from tests.agent.trees import AARCH64, elf, interpreter, put, venv
from tests.agent.unprivileged import told_without_privileges

ROOTS = Path.home() / ".cache/envparity-tests/roots"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
DYNLOAD = "usr/lib/python3.11/lib-dynload"


def read(root: Path, owner: libraries.Owner = libraries.nobody) -> Section:
    with Root(str(root)) as opened:
        [section] = libraries.collect(Subject(opened), owner)
    return section


def items(root: Path) -> Mapping[str, Attributes]:
    found = read(root)
    assert (found.status, found.reasons) == (Status.OK, ())
    return found.items


def test_a_root_without_python_has_no_libraries(tmp_path: Path) -> None:
    assert items(tmp_path) == {}


def test_a_library_is_told_with_its_version_its_build_id_and_who_loads_it(tmp_path: Path) -> None:
    interpreter(tmp_path)
    crypto = library(tmp_path, f"{LIBRARIES}/libcrypto.so.3", text="OpenSSL 3.0.15 3 Sep 2024")
    ssl = library(tmp_path, f"{LIBRARIES}/libssl.so.3", needs=(crypto,))
    library(tmp_path, f"{DYNLOAD}/_ssl.cpython-311-x86_64-linux-gnu.so", needs=(ssl,))
    library(tmp_path, f"{DYNLOAD}/_hashlib.cpython-311-x86_64-linux-gnu.so", needs=(crypto,))
    assert items(tmp_path) == {
        "libcrypto.so.3": {
            "version": "3.0.15",
            "build_id": told_by_readelf(crypto)[-1],
            "path": f"/{LIBRARIES}/libcrypto.so.3",
            "used_by": ("_hashlib", "_ssl"),
        },
        "libssl.so.3": {
            "build_id": told_by_readelf(ssl)[-1],
            "path": f"/{LIBRARIES}/libssl.so.3",
            "used_by": ("_ssl",),
        },
    }


@pytest.mark.parametrize(
    ("name", "text", "version"),
    [
        ("libcrypto.so.1.1", "OpenSSL 1.1.1w  11 Sep 2023", "1.1.1w"),
        ("libcrypto.so.1.1", "OpenSSL 1.1.1k  FIPS 25 Mar 2021", "1.1.1k"),
        ("libcrypto.so.3", "OpenSSL 3.2.0-beta1 26 Oct 2023", "3.2.0-beta1"),
        ("libcrypto.so.3", "OpenSSL 3.0.15", None),
        ("libz.so.1", " deflate 1.2.13 Copyright 1995-2022 Jean-loup Gailly and Mark Adler ", "1.2.13"),
        ("libexpat.so.1", "expat_2.5.0", "2.5.0"),
        ("libsqlite3.so.0", "3.40.1", "3.40.1"),
        ("libbz2.so.1.0", "1.0.8, 13-Jul-2019", "1.0.8"),
        ("liblzma.so.5", "XZ_5.1.2alpha|5.8.1", "5.8.1"),  # the first is the version of a symbol
        ("libzstd.so.1", "11.5.4|1.5.4", "1.5.4"),
        ("libffi.so.8", "1.2.3", None),
    ],
)
def test_a_version_is_what_the_librarys_own_text_tells(
    tmp_path: Path, name: str, text: str, version: str | None
) -> None:
    interpreter(tmp_path)
    found = library(tmp_path, f"{LIBRARIES}/{name}", text=f"x|{text}")
    library(tmp_path, f"{DYNLOAD}/_x.abi3.so", needs=(found,))
    assert items(tmp_path)[name].get("version") == version


def test_a_library_without_a_build_id_is_told_by_its_content(tmp_path: Path) -> None:
    interpreter(tmp_path)
    found = library(tmp_path, "lib/libffi.so.8", build_id=None)
    library(tmp_path, f"{DYNLOAD}/_ctypes.so", needs=(found,))
    told = items(tmp_path)["libffi.so.8"]
    assert (told["content"], "build_id" in told) == (hashlib.sha256(found.read_bytes()).hexdigest(), False)


def test_what_a_wheel_brings_along_is_part_of_the_wheel_but_what_that_needs_is_told(tmp_path: Path) -> None:
    interpreter(tmp_path)
    site = venv(tmp_path, "srv/app").relative_to(tmp_path)
    stdc = library(tmp_path, f"{LIBRARIES}/libgfortran.so.5")
    blas = library(tmp_path, f"{site}/numpy.libs/libblas-0123.so", needs=(stdc,))
    library(tmp_path, f"{site}/numpy/core/_math.cpython-311-x86_64-linux-gnu.so", "-Wl,-rpath,$ORIGIN/../../numpy.libs",
            needs=(blas,))  # fmt: skip
    assert {name: body["used_by"] for name, body in items(tmp_path).items()} == {"libgfortran.so.5": ("numpy",)}


def test_a_library_that_is_asked_for_and_nowhere_is_missing(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app").relative_to(tmp_path)
    gone = library(tmp_path, f"{LIBRARIES}/libgomp.so.1")
    library(tmp_path, f"{site}/lightgbm/lib_lightgbm.so", needs=(gone,))
    gone.unlink()
    assert items(tmp_path) == {"libgomp.so.1": {"missing": True, "used_by": ("lightgbm",)}}


def test_a_library_of_another_wheel_is_not_missing(tmp_path: Path) -> None:
    """PyTorch loads those of the nvidia wheels by itself before it loads what asks for them."""
    site = venv(tmp_path, "srv/app").relative_to(tmp_path)
    cuda = library(tmp_path, f"{site}/nvidia/cublas/lib/libcublas.so.12")
    library(tmp_path, f"{site}/torch/_C.so", needs=(cuda,))
    assert items(tmp_path) == {}


def test_what_the_interpreter_has_loaded_is_not_missing(tmp_path: Path) -> None:
    python = library(tmp_path, "opt/py/lib/libpython3.11.so.1.0")
    library(tmp_path, "opt/py/bin/python3.11", "-Wl,-rpath,$ORIGIN/../lib", "-Wl,--enable-new-dtags", needs=(python,))
    interpreter(tmp_path, "opt/py")
    library(tmp_path, "opt/py/lib/python3.11/lib-dynload/_x.so", needs=(python,))
    assert list(items(tmp_path)) == ["libpython3.11.so.1.0"]


def test_where_something_cannot_be_read_nothing_is_said_to_be_missing(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    site = venv(tmp_path, "srv/app").relative_to(tmp_path)
    gone = library(tmp_path, "opt/libgomp.so.1")
    library(tmp_path, f"{site}/lightgbm/lib_lightgbm.so", needs=(gone,))
    put(tmp_path, "etc/ld.so.conf", "/opt\n")
    (tmp_path / "opt").chmod(0)
    script = """
from envparity_agent.collectors.system import libraries
found = next(libraries.collect(Subject(root)))
print(found.status, *found.reasons, dict(found.items))
"""
    assert told_without_privileges(tmp_path, script) == "partial permission {}"
    (tmp_path / "opt").chmod(0o755)


def test_of_several_libraries_of_one_name_the_systems_has_it_alone(tmp_path: Path) -> None:
    interpreter(tmp_path)
    interpreter(tmp_path, "opt/conda")
    system = library(tmp_path, f"{LIBRARIES}/libcrypto.so.3", text="OpenSSL 3.0.15 3 Sep 2024")
    conda = library(tmp_path, "opt/conda/lib/libcrypto.so.3", text="OpenSSL 3.3.1 4 Jun 2024")
    library(tmp_path, f"{DYNLOAD}/_ssl.so", needs=(system,))
    library(tmp_path, "opt/conda/lib/python3.11/lib-dynload/_ssl.so", "-Wl,-rpath,$ORIGIN/../..", needs=(conda,))
    told = {name: body["version"] for name, body in items(tmp_path).items()}
    assert told == {"libcrypto.so.3": "3.0.15", "libcrypto.so.3#opt/conda/lib/libcrypto.so.3": "3.3.1"}


def test_openssl_is_told_also_where_no_module_asks_for_it(tmp_path: Path) -> None:
    library(tmp_path, f"{LIBRARIES}/libcrypto.so.3", text="OpenSSL 3.0.15 3 Sep 2024")
    library(tmp_path, f"{LIBRARIES}/libcurl.so.4")
    assert {name: body.get("used_by") for name, body in items(tmp_path).items()} == {"libcrypto.so.3": None}


@pytest.mark.parametrize(
    ("holder", "name"),
    [
        (f"{DYNLOAD}/_ssl.cpython-311-x86_64-linux-gnu.so", "libcrypto in _ssl"),
        ("usr/bin/python3.11", "libcrypto in python3.11"),
    ],
)
def test_an_openssl_inside_of_a_static_python_is_told(tmp_path: Path, holder: str, name: str) -> None:
    interpreter(tmp_path)
    library(tmp_path, holder, text="OpenSSL 3.0.16 11 Feb 2025")
    assert items(tmp_path) == {name: {"version": "3.0.16", "path": f"/{holder}", "used_by": (name.split()[-1],)}}


def test_a_python_without_openssl_has_none_inside(tmp_path: Path) -> None:
    interpreter(tmp_path)
    library(tmp_path, "usr/bin/python3.11", text="3.11.2")
    assert items(tmp_path) == {}


def test_the_c_library_is_part_of_the_operating_system(tmp_path: Path) -> None:
    interpreter(tmp_path)
    parts = tuple(library(tmp_path, f"{LIBRARIES}/{name}") for name in ("libc.so.6", "libm.so.6", "libpthread.so.0"))
    library(tmp_path, f"{DYNLOAD}/_x.so", needs=parts)
    assert items(tmp_path) == {}


def test_a_module_of_another_architecture_asks_for_nothing(tmp_path: Path) -> None:
    put(tmp_path, "usr/bin/env", elf(AARCH64))
    site = venv(tmp_path, "srv/app").relative_to(tmp_path)
    gone = library(tmp_path, "gone/libgone.so.1")
    library(tmp_path, f"{site}/pkg/_x.so", needs=(gone,))
    assert items(tmp_path) == {}


def test_the_owner_of_a_library_is_asked_by_its_real_path(tmp_path: Path) -> None:
    interpreter(tmp_path)
    real = library(tmp_path, f"{LIBRARIES}/libz.so.1.2.13", "-Wl,-soname,libz.so.1")
    (real.parent / "libz.so.1").symlink_to("libz.so.1.2.13")
    library(tmp_path, f"{DYNLOAD}/zlib.so", needs=(real,))
    told = read(tmp_path, {f"{LIBRARIES}/libz.so.1.2.13": "deb:zlib1g 1.2.13"}.get).items
    assert told["libz.so.1"]["owner"] == "deb:zlib1g 1.2.13"


def test_many_users_are_told_up_to_a_limit(tmp_path: Path) -> None:
    interpreter(tmp_path)
    found = library(tmp_path, f"{LIBRARIES}/libz.so.1")
    first = library(tmp_path, f"{DYNLOAD}/m00.so", needs=(found,))
    for number in range(1, 40):
        put(tmp_path, f"{DYNLOAD}/m{number:02}.so", first.read_bytes())
    used_by = items(tmp_path)["libz.so.1"]["used_by"]
    assert used_by == tuple(f"m{number:02}" for number in range(libraries.MAX_USERS))


def test_what_only_looks_like_a_module_is_passed_over_and_a_damaged_one_is_said(tmp_path: Path) -> None:
    interpreter(tmp_path)
    put(tmp_path, f"{DYNLOAD}/text.so", "ELF")
    assert items(tmp_path) == {}
    put(tmp_path, f"{DYNLOAD}/damaged.so", b"\x7fELF\x02\x01" + b"\xff" * 90)
    assert read(tmp_path).reasons == (Reason.INVALID,)


def test_a_resident_agent_reads_again_only_what_changed(tmp_path: Path) -> None:
    interpreter(tmp_path)
    found = library(tmp_path, f"{LIBRARIES}/libz.so.1", text="deflate 1.2.13 Copyright 1995")
    library(tmp_path, f"{DYNLOAD}/zlib.so", needs=(found,))
    memory = Memory()

    def version() -> object:
        memory.begin()
        with Root(str(tmp_path)) as root:
            [section] = libraries.collect(Subject(root, memory=memory))
        return section.items["libz.so.1"]["version"]

    assert version() == version() == "1.2.13"
    library(tmp_path, f"{LIBRARIES}/libz.so.1", text="deflate 1.3.1 Copyright 1995")
    assert version() == "1.3.1"


def test_the_environments_are_searched_for_once_in_a_survey(tmp_path: Path) -> None:
    """Each search goes on with the walk, and takes its budget of time."""
    interpreter(tmp_path)
    assert fingerprint_of(tmp_path).sections["python"].observed["passes"] == 1


@pytest.mark.parametrize(
    ("release", "versions"),
    [
        ("bullseye", "libcrypto 1.1.1 libexpat 2.2.10 libbz2 1.0.8 liblzma 5.2.5 libsqlite3 3.34.1 libz 1.2.11"),
        ("bookworm", "libcrypto 3.0. libexpat 2.5.0 libbz2 1.0.8 liblzma 5.4.1 libsqlite3 3.40.1 libz 1.2.13"),
        ("trixie", "libcrypto 3.5. libexpat 2. libbz2 1.0.8 liblzma 5.8. libsqlite3 3.46.1 libz 1.3.1 libzstd 1.5.7"),
    ],
)
def test_the_libraries_of_a_debian_are_those_that_readelf_leads_to(release: str, versions: str) -> None:
    root = ROOTS / release
    if not root.is_dir():
        pytest.skip(f"{root} is missing: the tests of simulated hosts make it")
    wanted, pending = set(), [*root.glob("usr/lib/python3*/lib-dynload/*.so"), *root.glob("usr/bin/python3.*[0-9]")]
    while pending:
        for name in told_by_readelf(pending.pop())[0]:
            if name not in wanted:
                wanted.add(name)
                pending.append(root / LIBRARIES / name)
    told = items(root)
    libc = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1", "libresolv.so.2"}
    assert set(told) == wanted - libc - {"ld-linux-x86-64.so.2"}
    assert {name: body["build_id"] for name, body in told.items()} == {
        name: told_by_readelf(root / LIBRARIES / name)[-1] for name in told
    }
    words = versions.split()
    for library_name, version in zip(words[::2], words[1::2], strict=True):
        [found] = [body for name, body in told.items() if name.startswith(f"{library_name}.so")]
        assert str(found["version"]).startswith(version)
    declared = KINDS["libraries", 1].attributes
    assert all(attribute in declared for body in told.values() for attribute in body)
