"""Checks which requirements are said to be unmet, under the markers of the environment that is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.python.requirements import Installed, unmet

MARKERS = {
    "implementation_name": "cpython", "implementation_version": "3.8.10", "os_name": "posix",
    "platform_machine": "aarch64", "platform_python_implementation": "CPython", "platform_release": "",
    "platform_system": "Linux", "platform_version": "", "python_full_version": "3.8.10", "python_version": "3.8",
    "sys_platform": "linux",
}  # fmt: skip


def lacks(*requires: str, **installed: str) -> tuple[str, ...]:
    """What one distribution that requires this lacks, beside others of these versions."""
    others = {name: Installed(version) for name, version in installed.items()}
    return unmet({"shop": Installed("1.0", requires), **others}, MARKERS).get("shop", ())


@pytest.mark.parametrize(
    ("requirement", "told"),
    [
        ("idna<4,>=2.5", ("idna<4,>=2.5 (has 1.0)",)),
        ("Idna (>=2.5,<4)", ("idna<4,>=2.5 (has 1.0)",)),
        ("idna[Extra_One]>=2", ("idna[extra-one]>=2 (has 1.0)",)),
        ("six", ("six (not installed)",)),
        ("zope.interface>=5", ("zope-interface>=5 (not installed)",)),
        ("six @ https://files.example/six;v=1.zip", ("six (not installed)",)),
        ("idna", ()),
        ("idna==1.0.0", ()),
        ("idna @ https://files.example/idna.zip", ()),
        ("idna (==1.*)", ()),
        ("six; python_version >= '3.9'", ()),
        ("six; platform_machine == 'x86_64'", ()),
        ("six; sys_platform == 'win32' or extra == 'x'", ()),
        ("six; extra == 'test'", ()),
        ("six; python_version < '3.9' and extra == 'test'", ()),
        ("six @ https://x.example/six.zip ; extra == 'test'", ()),
        ("six; python_version < '3.9'", ("six (not installed)",)),
        ("six; platform_machine == 'aarch64'", ("six (not installed)",)),
        ("six; python_version < '3.9' or extra == 'test'", ("six (not installed)",)),
    ],
)
def test_a_requirement_is_unmet_where_it_applies_and_nothing_fulfils_it(
    requirement: str, told: tuple[str, ...]
) -> None:
    assert lacks(requirement, idna="1.0") == told


def test_an_installed_prerelease_fulfils_a_range_that_holds_it() -> None:
    assert lacks("idna>=1", idna="2.0rc1") == ()
    assert lacks("idna>=2", idna="2.0rc1") == ("idna>=2 (has 2.0rc1)",)


@pytest.mark.parametrize("version", ["2004d", "9" * 5000, ""], ids=["legacy", "long", "none"])
def test_of_a_version_that_is_none_nothing_is_said(version: str) -> None:
    assert lacks("idna>=1", idna=version) == ()


def test_an_extra_is_looked_at_where_another_distribution_asks_for_it() -> None:
    base = Installed("1", ["six; extra == 'Socks_5'", "yarl; extra == 'other'", "idna; extra == 'all'"])
    installed = {"base": base, "shop": Installed("1", ["base[socks-5]"])}
    assert unmet(installed, MARKERS) == {"base": ("six (not installed)",)}
    assert unmet({"base": base}, MARKERS) == {}


def test_an_extra_of_an_extra_is_followed_and_a_circle_ends() -> None:
    base = Installed("1", ["base[b]; extra == 'a'", "base[a]; extra == 'b'", "six; extra == 'b'"])
    assert unmet({"base": base, "shop": Installed("1", ["base[a]"])}, MARKERS) == {"base": ("six (not installed)",)}


@pytest.mark.parametrize(
    "requirement",
    [
        f"six; {'(' * 500}python_version > '3'{')' * 500}",
        "six; python_version >",
        "six; nothing == '1'",
        "six>=junk",
        f"idna>={'9' * 5000}",
        "-six",
        "six @",
        "",
    ],
    ids=lambda text: text[:16],
)
def test_a_requirement_that_is_none_takes_no_other_with_it(requirement: str) -> None:
    found = lacks(requirement, "idna>=2", idna="1.0")
    assert sorted(found) == sorted((f"{requirement} (not understood)", "idna>=2 (has 1.0)"))


@given(st.lists(st.text("six[]()<>=!~@;'\"1. extraond", max_size=40), max_size=4))
def test_whatever_is_required_only_texts_come_out(requires: list[str]) -> None:
    assert all(isinstance(one, str) for one in lacks(*requires, six="1"))
