"""Tests of undoing what differs in the operating system: packages, libraries, the release, settings, the Python."""

from typing import Any

import pytest

from envparity_agent.fingerprint import Attributes, Items, Section
from tests.server.explain.undoing import dist, note, side, steps, venv

DEBIAN = {"distribution": {"id": "debian", "version": "12"}}


def package(version: str, manager: str = "deb", **facts: Any) -> Attributes:
    """An OS package."""
    return {"version": version, "architecture": "amd64", "manager": manager, **facts}


def system(packages: Items, release: Items = DEBIAN) -> tuple[Section, Section]:
    """The sections of an operating system."""
    return Section("os", "os", 1, release), Section("os-packages", "os-packages", 2, packages)


@pytest.mark.parametrize(("manager", "distribution", "step"), [
    ("deb", "debian", "apt-get install libssl3=3.0.15-1"),
    ("rpm", "fedora", "dnf install libssl3-3.0.15-1"),
    ("rpm", "opensuse-leap", "zypper install --oldpackage libssl3=3.0.15-1"),
    ("apk", "alpine", "apk add libssl3=3.0.15-1"),
])  # fmt: skip
def test_a_package_goes_back_to_its_exact_version(manager: str, distribution: str, step: str) -> None:
    release = {"distribution": {"id": distribution, "version": "1"}}
    good, bad = (side(*system({"libssl3": package(one, manager)}, release)) for one in ("3.0.15-1", "3.0.16-1"))
    assert steps(good, bad, "libssl3") == [step]
    assert note(good, bad, "libssl3") == (
        "If the archive has that version no longer, a snapshot of it from 2026-11-01 does."
    )  # fmt: skip


def test_a_package_is_installed_removed_or_set_up_as_the_good_side_has_it() -> None:
    there, none = side(*system({"tzdata": package("2024a")})), side(*system({}))
    half = side(*system({"tzdata": package("2024a", state="half-configured")}))
    other = side(*system({"tzdata": package("2024a", content="sha256:b")}))
    assert steps(there, none, "tzdata") == ["apt-get install tzdata=2024a"]
    assert steps(none, there, "tzdata") == ["apt-get remove tzdata"]
    assert steps(there, half, "tzdata") == ["dpkg --configure tzdata"]
    assert steps(side(*system({"tzdata": package("2024a", content="sha256:a")})), other, "tzdata") == [
        "apt-get install --reinstall tzdata=2024a"
    ]


def test_a_package_of_another_release_is_not_mixed_in() -> None:
    trixie = {"distribution": {"id": "debian", "version": "13"}}
    good, bad = side(*system({"tzdata": package("1")})), side(*system({"tzdata": package("2")}, trixie))
    assert steps(good, bad, "tzdata") == steps(good, bad, "distribution") == []
    assert note(good, bad, "distribution") == (
        "The good side is debian 12: bring this machine to that release, as packages of two releases do not mix."
    )


def test_another_release_in_a_dockerfile_is_its_base() -> None:
    trixie = {"distribution": {"id": "debian", "version": "13"}}
    good, bad = (side(Section("os", "os", 1, one), kind="image", name="shop:1") for one in (DEBIAN, trixie))
    assert steps(good, bad, "distribution") == ["Dockerfile: FROM debian:12"]


def test_in_an_image_a_package_is_a_line_of_the_dockerfile_that_asks_nobody() -> None:
    good, bad = (side(*system({"tzdata": package(one)}), kind="image", name="shop:1") for one in ("1", "2"))
    assert steps(good, bad, "tzdata") == [
        "Dockerfile: RUN apt-get update && apt-get install -y --allow-downgrades tzdata=1"
    ]
    assert note(good, bad, "tzdata").endswith("Then build the image anew, and start the container from it.")


def test_a_package_of_a_dockerfile_is_pinned_where_it_is_installed() -> None:
    good = side(Section("os-packages", "declared", 2, {"curl": {"version": "1-1"}}), kind="dockerfile", name="a")
    line: dict[str, Attributes] = {"curl": {"version": "2-1", "line": 4}}
    bad = side(Section("os-packages", "declared", 2, line), kind="dockerfile", name="b/Dockerfile")
    assert steps(good, bad, "curl") == ["b/Dockerfile:4: curl=1-1"]


def test_a_library_goes_back_with_the_package_that_owns_it() -> None:
    facts = {"version": "OpenSSL 3.0.15", "build_id": "a", "owner": "deb:libssl3:amd64 3.0.15-1", "path": "/l/libssl"}
    owned = side(Section("os/libraries", "libraries", 1, {"libssl.so.3": facts}))
    missing = side(Section("os/libraries", "libraries", 1, {"libssl.so.3": {"missing": True}}))
    assert steps(owned, missing, "libssl.so.3") == ["apt-get install libssl3:amd64=3.0.15-1"]
    alone = side(Section("os/libraries", "libraries", 1, {"libssl.so.3": {**facts, "owner": None}}))
    assert note(alone, missing, "libssl.so.3") == (
        "The good side has libssl.so.3 as /l/libssl, and no package owns it there."
    )


@pytest.mark.parametrize(("item", "value", "expected"), [
    ("sysctl:vm.max_map_count", "262144",
     ["sysctl -w vm.max_map_count=262144", "/etc/sysctl.d/99-local.conf: vm.max_map_count = 262144"]),
    ("locale:LANG", "C.UTF-8", ["localectl set-locale LANG=C.UTF-8"]),
    ("timezone", "Europe/Berlin", ["timedatectl set-timezone Europe/Berlin"]),
    ("transparent_hugepage", "madvise", ["echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"]),
    ("nsswitch:hosts", "files dns", ["/etc/nsswitch.conf: hosts: files dns"]),
])  # fmt: skip
def test_a_setting_is_set_by_its_command_or_in_its_file(item: str, value: str, expected: list[str]) -> None:
    good, bad = (side(Section("os/settings", "settings", 1, {item: {"value": one}})) for one in (value, "other"))
    assert steps(good, bad, item) == expected


def test_limits_are_lines_of_their_file() -> None:
    good, bad = (
        side(Section("os/settings", "settings", 1, {
            "limit:shop:nofile": {"soft": 1024, "hard": one}, "limit-of-init:nofile": {"soft": 1024, "hard": one},
        })) for one in (65536, 4096)
    )  # fmt: skip
    assert steps(good, bad, "limit:shop:nofile") == [
        "/etc/security/limits.conf: shop soft nofile 1024", "/etc/security/limits.conf: shop hard nofile 65536",
    ]  # fmt: skip
    assert steps(good, bad, "limit-of-init:nofile") == [
        "/etc/systemd/system.conf: DefaultLimitNOFILE=1024:65536", "systemctl daemon-reexec",
    ]  # fmt: skip


def test_no_command_makes_another_machine_of_it() -> None:
    good, bad = (side(Section("machine", "machine", 2, {"kernel": {"release": one}})) for one in ("6.1", "6.12"))
    assert steps(good, bad, "kernel") == []
    assert note(good, bad, "kernel") == "The good side's kernel is release 6.1."


def test_a_venv_is_made_anew_by_the_other_python_with_all_that_it_has() -> None:
    other = {"version": "3.13.1", "abi": "3.13"}
    assert steps(side(venv({})), side(venv({}, **other)), "@python") == [
        "/srv/app/.venv/bin/python -m pip freeze > frozen.txt",
        "python3.11 -m venv --clear /srv/app/.venv",
        "/srv/app/.venv/bin/python -m pip install --no-deps -r frozen.txt",
    ]
    assert steps(side(venv({})), side(venv({}, creator="uv", **other)), "@python") == [
        "uv pip freeze --python /srv/app/.venv > frozen.txt",
        "uv venv --clear --python 3.11.2 /srv/app/.venv",
        "uv pip install --python /srv/app/.venv --no-deps -r frozen.txt",
    ]


@pytest.mark.parametrize(("path", "items", "step"), [
    ("python/opt/conda", {"conda:python": dist("3.13.1", build="h1")}, "conda install -p /opt/conda python=3.11.2"),
    ("python/root/.pyenv/versions/3.13.1/lib/python3.13", {}, "pyenv install 3.11.2"),
    ("python/root/.local/share/uv/python/cpython-3.13.1/lib/python3.13", {}, "uv python install 3.11.2"),
])  # fmt: skip
def test_an_interpreter_comes_from_where_it_came_from(path: str, items: dict[str, Attributes], step: str) -> None:
    good, bad = (side(venv(items, path, role="interpreter", version=one)) for one in ("3.11.2", "3.13.1"))
    assert steps(good, bad, "@python") == [step]


def test_the_systems_own_interpreter_is_a_package() -> None:
    good, bad = (
        side(venv({}, "python/usr/lib/python3.11", role="interpreter", version=one),
             *system({"python3.11": package(f"{one}-1")})) for one in ("3.11.2", "3.11.9")
    )  # fmt: skip
    assert steps(good, bad, "@python") == ["apt-get install python3.11=3.11.2-1"]


def test_in_an_image_another_python_is_another_base() -> None:
    good, bad = (side(venv({}, version=one), kind="image", name="shop:1") for one in ("3.11.2", "3.11.9"))
    assert steps(good, bad, "@python") == ["Dockerfile: FROM python:3.11.2"]


def test_how_an_environment_uses_its_interpreter_is_set_back() -> None:
    assert steps(side(venv({})), side(venv({}, orphaned=True)), "@python") == [
        "python3.11 -m venv --upgrade /srv/app/.venv"
    ]
    shown = side(venv({}, system_site=False)), side(venv({}, system_site=True))
    assert steps(*shown, "@python") == ["/srv/app/.venv/pyvenv.cfg: include-system-site-packages = false"]
    assert note(side(venv({})), side(venv({}, restart_needed=True)), "@python").startswith("Restart what runs from it")
