"""Checks that the declared schemas cover what collectors emit, and decide what is compared."""

from pathlib import Path

import pytest

from envparity_agent.collectors.interface import Options
from envparity_agent.collectors.values import Disclosure, Key
from envparity_agent.fingerprint import Fingerprint, Section
from envparity_agent.kinds import KINDS, compared_between, title
from envparity_agent.targets import fingerprint
from tests.agent.collectors.answers import container, recorded_engine, running_engine
from tests.agent.planted import FILES, plant
from tests.agent.roots import fingerprint_of, whole_root
from tests.agent.trees import put


def undeclared(fingerprint: Fingerprint) -> set[tuple[str, str]]:
    """The attributes of a fingerprint, each with its section, that its kind does not declare."""
    return {
        (section.path, attribute)
        for section in fingerprint.sections.values()
        for body in section.items.values()
        for attribute in body
        if attribute not in KINDS[section.kind, section.schema].attributes
    }


def emitted(*sections: Section) -> set[tuple[str, str]]:
    return {(one.kind, name) for one in sections for body in one.items.values() for name in body}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = whole_root(tmp_path_factory.mktemp("root"))
    put(found, "proc/7/cgroup", f"0::/kubepods.slice/cri-containerd-{'7' * 64}.scope\n")
    return found


def test_every_attribute_that_a_root_yields_is_declared(root: Path) -> None:
    assert undeclared(fingerprint_of(root)) == set()


def engines_of_both_stores(root: Path) -> tuple[Fingerprint, Fingerprint]:
    with recorded_engine() as containerd, running_engine() as graphdriver:
        graphdriver.has(container("b", "db"))
        key = Disclosure(Key(b"0123456789abcdef"))
        return fingerprint_of(root, containerd.url), fingerprint_of(root, graphdriver.url, disclosure=key)


def test_every_attribute_that_an_engine_yields_is_declared(root: Path) -> None:
    for found in engines_of_both_stores(root):
        assert undeclared(found) == set()


def test_every_attribute_of_a_requirements_file_is_declared(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "six==1.17.0\nidna>=3; python_version > '3'\ntheme @ https://files.example/theme-1.0.zip\n"
    )
    assert undeclared(fingerprint(str(tmp_path / "requirements.txt"), Options())) == set()


def test_every_declared_attribute_is_emitted_by_some_collector(root: Path, tmp_path: Path) -> None:
    """A declared attribute that no collector yields is a promise that is not kept."""
    (tmp_path / "requirements.txt").write_text(
        "six==1.17.0\nidna>=3; python_version > '3'\ntheme @ https://files.example/theme-1.0.zip\n"
    )
    plant(tmp_path / "planted")
    configured = (
        fingerprint(f"root:{tmp_path / 'planted'}", Options(files=FILES, disclosure=disclosure))
        for disclosure in (Disclosure(clear=("*",)), Disclosure(Key(b"k" * 32)))
    )
    declaring = fingerprint(str(tmp_path / "requirements.txt"), Options())
    found = (*engines_of_both_stores(root), declaring, *configured)
    seen = emitted(*(section for one in found for section in one.sections.values()))
    declared = {(kind, name) for (kind, _), one in KINDS.items() for name in one.attributes if kind != "machine"}
    assert declared - seen == set()


def test_labels_are_not_compared() -> None:
    assert "version" in compared_between(("python", 1))
    assert "installer" not in compared_between(("python", 1))


def test_a_version_that_is_not_known_yet_is_taken_as_the_newest_that_is() -> None:
    assert compared_between(("python", 1), ("python", 999)) == compared_between(("python", 1))


def test_nothing_of_an_unknown_kind_is_compared() -> None:
    assert compared_between(("weather", 1)) == frozenset()


def test_unlike_kinds_are_compared_by_what_both_declare() -> None:
    assert compared_between(("python", 1), ("declared", 1)) == {"version"}


def test_a_kind_has_a_title_and_an_unknown_one_its_name() -> None:
    assert title("os-packages") == "OS packages"
    assert title("weather") == "weather"
