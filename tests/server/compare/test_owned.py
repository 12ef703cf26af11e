"""Tests that what is one thing under two names is counted once."""

from envparity_agent.fingerprint import Fingerprint, Section
from envparity_server.compare.differences import compare
from envparity_server.compare.groups import wording
from tests.server.making import ENGINE, SEARCHED, host, section

WEB = section("container/web", {"image": {"config": "sha256:a", "platform": "linux/amd64"}})


def debian(version: str, release: str, prefix: str = "") -> tuple[Section, Section]:
    """A Debian package and the Python distribution that it brings."""
    package = section(f"{prefix}os-packages", {"python3-yaml": {"version": f"{version}-{release}"}}, kind="os-packages")
    owned = {"pyyaml": {"version": version, "owner": f"deb:python3-yaml {version}-{release}"}}
    return package, section(f"{prefix}python/usr/lib/python3.11", owned, kind="python", schema=2)


def places(left: Fingerprint, right: Fingerprint) -> list[tuple[str, str]]:
    return [(one.section, one.item) for one in compare(left, right).differences]


def test_a_distribution_and_the_package_that_brought_it_are_one_difference() -> None:
    left, right = (host(SEARCHED, *debian(version, "3")) for version in ("5.3", "6.0"))
    [found] = compare(left, right).differences
    assert (found.item, found.owner) == ("pyyaml", "deb:python3-yaml 5.3-3 → deb:python3-yaml 6.0-3")
    assert wording(found) == "5.3 → 6.0 (of deb:python3-yaml)"


def test_a_package_that_was_built_again_is_told_where_the_distribution_is_the_same() -> None:
    left, right = (host(SEARCHED, *debian("6.0", release)) for release in ("3", "4"))
    assert places(left, right) == [("os-packages", "python3-yaml")]


def test_a_package_of_the_host_is_not_that_of_a_container() -> None:
    inside = section("container/web/python", kind="python-search")
    left, right = (
        host(ENGINE, SEARCHED, WEB, inside, debian(version, "3")[0], *debian(version, "3", "container/web/")[1:])
        for version in ("5.3", "6.0")
    )
    assert places(left, right) == [
        ("container/web/python/usr/lib/python3.11", "pyyaml"),
        ("os-packages", "python3-yaml"),
    ]
