"""Tests of holding what a file declares against what is installed."""

from typing import Any

import pytest

from envparity_agent.fingerprint import Attributes, Fingerprint, Reason, Section, Status
from envparity_server.compare.differences import compare
from envparity_server.compare.groups import wording
from envparity_server.compare.markers import Known
from envparity_server.compare.model import Difference, Severity, State
from envparity_server.drift.severity import rate
from envparity_server.gating.model import Verdict
from tests.server.gating.asking import gated
from tests.server.making import host, section

SHOP = "python/srv/shop"
LOCK: dict[str, Attributes] = {"@lock": {"complete": True}}
CPYTHON: Attributes = {"version": "3.11.7", "implementation": "cpython", "abi": "3.11", "role": "venv"}
OS = section("os", {"distribution": {"id": "debian"}, "architecture": {"machine": "x86_64"}})


def file(items: dict[str, Attributes], path: str = "python/uv.lock", kind: str = "declared") -> Fingerprint:
    """What a file declares."""
    return host(section(path, items, kind="declared", schema=2), kind=kind)


def installed(items: dict[str, Attributes], *others: Section, python: Attributes = CPYTHON) -> Fingerprint:
    """An environment that a person names, or with others a host."""
    return host(section(SHOP, {"@python": python, **items}, schema=2), *others, kind="host" if others else "python")


def found(left: Fingerprint, right: Fingerprint) -> list[tuple[str, str, State]]:
    """The differences, which are the same the other way round."""
    one, other = compare(left, right).differences, compare(right, left).differences
    turned = {State.ONLY_LEFT: State.ONLY_RIGHT, State.ONLY_RIGHT: State.ONLY_LEFT}
    assert [(two.item, two.attribute, turned.get(two.state, two.state), two.right, two.left) for two in other] == [
        (two.item, two.attribute, two.state, two.left, two.right) for two in one
    ]
    return [(two.item, two.attribute, two.state) for two in one]


def rated(left: Fingerprint, right: Fingerprint) -> dict[str, Difference]:
    return {one.item: one for one in rate(compare(left, right)).differences}


MARKED: dict[str, tuple[str, bool | None]] = {
    "its version": ("python_version < '3.12'", True),
    "another version": ("python_full_version >= '3.12'", False),
    "its implementation": ("platform_python_implementation == 'CPython'", True),
    "another implementation": ("implementation_name == 'pypy'", False),
    "Windows": ("sys_platform == 'win32'", False),
    "not Windows": ("os_name == 'posix' and platform_system != 'Windows'", True),
    "Linux, which is not known": ("sys_platform == 'linux'", None),
    "a machine, which is not known": ("platform_machine == 'x86_64'", None),
    "a machine that does not matter": ("python_version > '3.12' and platform_machine == 'x86_64'", False),
    "any machine": ("platform_machine == 'x86_64' or platform_machine != 'x86_64'", True),
    "an extra, which nobody told": ("extra == 'web'", None),
    "an extra and another version": ("extra == 'web' and python_version < '3'", False),
    "a group, which nobody told": ("'dev' in dependency_groups", None),
    "a kernel": ("platform_release >= '6'", None),
    "no marker": ("nonsense", None),
    "too many parentheses": ("(" * 900 + "os_name == 'a'" + ")" * 900, None),
    "too many ways": (" or ".join(f"platform_machine == '{one}' and extra == '{one}'" for one in range(40)), None),
}


@pytest.mark.parametrize("case", MARKED)
def test_a_marker_holds_for_the_environment_that_is_installed(case: str) -> None:
    marker, expected = MARKED[case]
    assert Known.of({"@python": CPYTHON}, {}).holds(marker) is expected


@pytest.mark.parametrize(
    ("items", "system"),
    [
        ({"x": {"tags": ("cp311-cp311-manylinux_2_17_x86_64",)}}, {}),
        ({"x": {"tags": ("cp311-cp311-linux_x86_64", "py3-none-any")}}, {}),
        ({}, OS.items),
    ],
    ids=["by a wheel", "by a wheel that was built here", "by the operating system"],
)
def test_the_platform_is_known_by_what_is_installed(items: Any, system: Any) -> None:
    known = Known.of({"@python": CPYTHON, **items}, system)
    assert known.holds("sys_platform == 'linux' and platform_machine == 'x86_64'") is True
    assert known.holds("sys_platform == 'darwin'") is False


def test_a_version_of_which_only_two_numbers_are_known_decides_what_it_can() -> None:
    known = Known.of({"@python": {**CPYTHON, "version": "3.11"}}, {})
    assert known.holds("python_version == '3.11'") is True
    assert known.holds("python_full_version < '3.12'") is True
    assert known.holds("python_full_version < '3.11.4'") is None


def test_the_declaration_that_applies_is_held_against_what_is_installed() -> None:
    lock = file({
        **LOCK,
        "idna#old": {"version": "3.4", "marker": "python_version < '3.9'"},
        "idna#new": {"version": "3.7", "marker": "python_version >= '3.9'"},
        "colorama": {"version": "0.4.6", "marker": "sys_platform == 'win32'"},
    })  # fmt: skip
    assert found(lock, installed({"idna": {"version": "3.7"}})) == []
    assert found(lock, installed({"idna": {"version": "3.4"}})) == [("idna", "version", State.CHANGED)]
    assert found(lock, installed({})) == [("idna", "version", State.ONLY_LEFT)]


def test_the_platform_of_a_container_is_that_of_its_own_system() -> None:
    marked = file({"uvloop": {"version": "0.19", "marker": "platform_machine == 'aarch64'"}})
    inside = section("container/web/python/site", {"@python": CPYTHON}, kind="python", schema=2)
    arm = section("container/web/os", {"architecture": {"machine": "aarch64"}}, kind="os")
    whole = host(section("container/web"), inside, arm, OS, section("containers"))
    assert [(one.item, one.state) for one in compare(marked, whole).differences if one.item] == [
        ("uvloop", State.ONLY_LEFT)
    ]


def test_what_may_apply_is_unknown_unless_it_is_what_is_installed() -> None:
    lock = file({"idna": {"version": "3.7", "marker": "platform_machine == 'x86_64'"}})
    assert found(lock, installed({"idna": {"version": "3.7"}})) == []
    assert found(lock, installed({"idna": {"version": "3.4"}})) == [("idna", "version", State.UNKNOWN)]
    assert found(lock, installed({})) == [("idna", "version", State.UNKNOWN)]


@pytest.mark.parametrize(("version", "expected"), [("1.17", []), ("1.16", [("six", "specifier", State.CHANGED)])])
def test_several_declarations_that_apply_have_to_fit_all(version: str, expected: Any) -> None:
    both = file({"six#a": {"specifier": ">=1.17"}, "six#b": {"specifier": "<2"}})
    assert found(both, installed({"six": {"version": version}})) == expected


def test_two_pins_of_one_name_fit_nothing() -> None:
    both = file({"six#a": {"version": "1.16"}, "six#b": {"version": "1.17"}})
    assert found(both, installed({"six": {"version": "1.17"}})) == [("six", "specifier", State.CHANGED)]


def test_a_group_that_is_not_installed_is_no_difference_and_one_that_is_has_the_version() -> None:
    lock = file({**LOCK, "pytest": {"version": "8.0", "optional": ("group dev",)}})
    assert found(lock, installed({})) == []
    assert found(lock, installed({"pytest": {"version": "8.0"}})) == []
    assert found(lock, installed({"pytest": {"version": "7.4"}})) == [("pytest", "version", State.CHANGED)]


def test_where_a_file_does_not_tell_its_groups_what_is_missing_is_unknown() -> None:
    lock = file({**LOCK, "pytest": {"version": "8.0", "optional": ("unknown",)}})
    assert found(lock, installed({})) == [("pytest", "version", State.UNKNOWN)]
    assert found(lock, installed({"pytest": {"version": "7.4"}})) == [("pytest", "version", State.CHANGED)]


def test_an_interpreter_outside_the_range_is_a_difference() -> None:
    lock = file({"@python": {"specifier": ">=3.12"}})
    assert found(lock, installed({})) == [("@python", "specifier", State.CHANGED)]
    assert rated(lock, installed({}))["@python"].severity is Severity.HIGH
    assert found(lock, installed({}, python={**CPYTHON, "version": "3.12.1"})) == []
    exact = file({"@python": {"specifier": "==3.11.7"}})
    assert found(exact, installed({}, python={**CPYTHON, "version": "3.11"})) == [
        ("@python", "specifier", State.UNKNOWN)
    ]


def test_a_commit_is_compared_and_a_pin_asks_for_none() -> None:
    there = installed({"theme": {"version": "1.0", "commit": "b" * 40}})
    assert found(file({"theme": {"commit": "b" * 40}}), there) == []
    assert found(file({"theme": {"commit": "a" * 40}}), there) == [("theme", "commit", State.CHANGED)]
    assert found(file({"theme": {"version": "1.0.0"}}), there) == []
    assert found(file({"theme": {"commit": "a" * 40}}), installed({"theme": {"version": "1.0"}})) == [
        ("theme", "commit", State.CHANGED)
    ]


def test_hashes_and_extras_are_not_held_against_what_is_installed() -> None:
    lock = file({"idna": {"version": "3.7", "hashes": ("sha256:aa",), "via": ("rich",), "line": 3}})
    assert found(lock, installed({"idna": {"version": "3.7", "content": "sha256:bb"}})) == []


def test_a_range_of_another_grammar_is_unknown() -> None:
    assert found(file({"numpy": {"specifier": "1.2|1.3"}}), installed({"numpy": {"version": "1.2"}})) == [
        ("numpy", "specifier", State.UNKNOWN)
    ]


@pytest.mark.parametrize(
    ("own", "item", "severity", "words"),
    [
        (LOCK, "idna", Severity.MEDIUM, "not in the lock: 3.7"),
        (LOCK, "pip", Severity.INFO, "not in the lock: 24.0"),
        ({}, "idna", Severity.INFO, "not declared: 3.7"),
    ],
    ids=["a lock", "a lock, and what venv brings", "a list"],
)
def test_what_is_installed_and_not_declared(
    own: dict[str, Attributes], item: str, severity: Severity, words: str
) -> None:
    there = installed({"six": {"version": "1"}, "idna": {"version": "3.7"}, "pip": {"version": "24.0"}})
    one = rated(file({**own, "six": {"version": "1"}}), there)[item]
    assert (one.state, one.severity, wording(one)) == (State.ONLY_RIGHT, severity, words)


def test_what_is_not_in_a_file_that_was_not_read_to_its_end_is_unknown() -> None:
    unread = section("python/r.txt", {}, Status.PARTIAL, Reason.UNSUPPORTED, kind="declared", schema=2)
    left = host(unread, kind="declared")
    assert found(left, installed({"idna": {"version": "3.7"}}))[1:] == [("idna", "version", State.UNKNOWN)]


def test_what_is_missing_from_an_environment_that_was_not_read_to_its_end_is_unknown() -> None:
    there = host(section(SHOP, {}, Status.PARTIAL, Reason.PERMISSION, schema=2), kind="python")
    assert found(file({"idna": {"version": "3.7"}}), there)[1:] == [("idna", "version", State.UNKNOWN)]


def test_a_package_of_conda_is_the_distribution_that_it_brings() -> None:
    declared = file({
        "conda:numpy": {"specifier": "==1.26.*"}, "conda:pytorch": {"version": "2.1"},
        "conda:openssl": {"version": "3.3.1"}, "conda:zlib": {"specifier": ""},
    })  # fmt: skip
    there = installed({
        "numpy": {"version": "1.26.4", "owner": "conda:numpy 1.26.4"},
        "torch": {"version": "2.0", "owner": "conda:pytorch 2.0"},
        "conda:openssl": {"version": "3.3.1"},
    })  # fmt: skip
    assert found(declared, there) == [("conda:zlib", "version", State.ONLY_LEFT), ("torch", "version", State.CHANGED)]


def test_a_package_of_conda_may_have_another_name_where_nothing_is_of_conda() -> None:
    declared = file({"conda:pytorch": {"version": "2.1"}, "conda:numpy": {"version": "1.26.4"}})
    there = installed({"torch": {"version": "2.1"}, "numpy": {"version": "1.26.4"}})
    assert found(declared, there) == [
        ("conda:pytorch", "version", State.UNKNOWN),
        ("torch", "version", State.ONLY_RIGHT),
    ]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"specifier": ""}, []),
        ({"version": "7.88.1-10"}, []),
        ({"specifier": "=7.88.*"}, []),
        ({"version": "7.88.1-9"}, [("curl", "version", State.CHANGED)]),
        ({"specifier": "=8.*"}, [("curl", "specifier", State.CHANGED)]),
        ({"specifier": "~=7.88"}, [("curl", "specifier", State.UNKNOWN)]),
    ],
)
def test_os_packages_are_held_against_what_a_dockerfile_says(asked: Attributes, expected: Any) -> None:
    file_ = file({"curl": asked, "libc6": {"specifier": ""}}, "os-packages", "dockerfile")
    there = section("os-packages", {"curl": {"version": "7.88.1-10"}, "libc6:amd64": {"version": "2.36"}}, schema=2)
    assert found(file_, host(there, kind="container")) == expected
    for one in rate(compare(file_, host(there, kind="container"))).differences:
        assert one.severity <= Severity.LOW


def part(path: str, items: dict[str, Attributes], kind: str) -> Section:
    """A section of a file that is based on what is not in it."""
    return section(path, items, Status.PARTIAL, Reason.DECLARED, kind=kind, schema=2 if kind != "configuration" else 1)


def test_what_a_file_is_based_on_is_not_drift_and_nobody_asked_about_it() -> None:
    dockerfile = host(part("python/Dockerfile", {"six": {"version": "1"}}, "declared"), kind="dockerfile")
    there = host(section(SHOP, {"six": {"version": "1"}, "idna": {"version": "3.7"}}, schema=2), kind="container")
    forwards, backwards = rate(compare(dockerfile, there)), rate(compare(there, dockerfile))
    assert (forwards.differences, backwards.differences) == ((), ())
    assert [one.why for one in forwards.unexamined] == [
        "the file declares only a part: 1 more of the other side are not in it"
    ]
    assert gated(dockerfile, there).verdict is Verdict.PARITY
    assert gated(there, dockerfile).verdict is Verdict.UNKNOWN


def test_what_a_dockerfile_installs_is_not_looked_for_on_a_host() -> None:
    dockerfile = host(part("os-packages", {"curl": {"version": "1"}}, "declared"), kind="dockerfile")
    there = host(section("os-packages", {"curl": {"version": "2"}}, schema=2))
    found_ = compare(dockerfile, there)
    assert (found_.differences, found_.examined) == ((), 0)
    assert "container:NAME" in found_.unexamined[0].why


@pytest.mark.parametrize(
    ("declared", "running", "expected"),
    [
        ({"reference": "docker.io/library/nginx:1"}, "docker.io/library/nginx:1", []),
        ({"reference": "docker.io/library/nginx:1"}, "mirror.example/nginx:1", []),
        ({"reference": "docker.io/library/nginx:1"}, "docker.io/library/nginx:2", ["reference"]),
        ({"base": "docker.io/library/debian:12"}, "shop:latest", []),
        ({"platform": "linux/arm64"}, "shop:latest", ["platform"]),
        ({}, "shop:latest", []),
    ],
)
def test_an_image_that_a_file_names_is_the_one_that_runs_by_its_name(
    declared: Attributes, running: str, expected: list[str]
) -> None:
    left = host(part("container/web", {"image": declared}, "container"), kind="compose")
    image: Attributes = {"reference": running, "config": "sha256:a", "platform": "linux/amd64"}
    right = host(section("container/web", {"image": image, "tag": {"moved": False}}, schema=2), kind="container")
    for sides in ((left, right), (right, left)):
        differences = rate(compare(*sides)).differences
        assert [one.attribute for one in differences] == expected
        assert all(one.severity >= Severity.HIGH for one in differences)


def test_two_files_are_compared_as_they_are_written() -> None:
    one = file({**LOCK, "idna": {"version": "3.7", "marker": "python_version > '3'"}, "six": {"version": "1"}})
    other = file({"idna": {"version": "3.4", "marker": "python_version > '3'"}}, "python/old.txt")
    third = file({"idna": {"version": "3.4", "marker": "python_version > '3.9'"}}, "python/old.txt")
    assert found(one, other) == [("idna", "version", State.CHANGED), ("six", "version", State.ONLY_LEFT)]
    assert found(one, third)[0] == ("idna", "version", State.UNKNOWN)
