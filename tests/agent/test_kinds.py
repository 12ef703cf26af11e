"""Checks that the declared schemas cover what collectors emit, and decide what is compared."""

import json
from pathlib import Path

import pytest

from envparity_agent.collectors.containers.application import application
from envparity_agent.collectors.containers.changes import attributed
from envparity_agent.collectors.containers.description import facts
from envparity_agent.collectors.interface import Options
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.values import Disclosure, Key
from envparity_agent.fingerprint import Fingerprint, Section
from envparity_agent.kinds import KINDS, compared_between, title
from envparity_agent.root import Root
from envparity_agent.targets import fingerprint
from tests.agent.collectors.answers import container, recorded_engine, running_engine
from tests.agent.planted import FILES, plant
from tests.agent.roots import fingerprint_of, whole_root
from tests.agent.trees import distribution, put, venv

GOLDENS = Path(__file__).parents[1] / "environments/goldens"


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


def recorded() -> set[tuple[str, str]]:
    """What the golden files of real environments have, each of which a test holds against what is read."""
    documents = [json.loads(path.read_text()) for path in GOLDENS.iterdir()]
    sections = [section for document in documents for section in document.values()]
    return {(one["kind"], name) for one in sections for body in one["items"].values() for name in body}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = whole_root(tmp_path_factory.mktemp("root"))
    distribution(venv(found, "srv/using"), "using", "1.0", {"using.py": "import os\n"})
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


_REQUIREMENTS = f"""
-r base.txt
idna==3.7 --hash=sha256:{"0" * 64}
six; python_version > "3"
theme @ git+https://files.example/theme@{"0" * 40}
"""
_PROJECT = '[project]\nname = "shop"\nversion = "1"\noptional-dependencies = {web = ["flask"]}\n'
_LOCK = 'version = 1\n[[package]]\nname = "shop"\nversion = "1"\nsource = {virtual = "."}\n'


def declaring(place: Path) -> list[Fingerprint]:
    """What files declare, each in its own way."""
    put(place, "base.txt", "packaging==24.1\n")
    files = {"requirements.txt": _REQUIREMENTS, "pyproject.toml": _PROJECT, "uv.lock": _LOCK}
    return [fingerprint(str(put(place, name, text)), Options()) for name, text in files.items()]


def told_by_an_engine(root: Path) -> set[tuple[str, str]]:
    """What an image and a patched container have beside what the recorded engines tell."""
    image = {
        "Config": {"WorkingDir": "/srv", "Labels": {
            "org.opencontainers.image.base.name": "debian", "org.opencontainers.image.revision": "0123abc",
        }},
        "Mounts": [{"Type": "bind", "Destination": "/srv/shop"}],
    }  # fmt: skip
    change = {"Path": "/srv/shop/lib/python3.11/site-packages/requests/__init__.py", "Kind": 0}
    with Root(str(root)) as opened:
        code = application(image, opened, Memory())
        items = attributed([change], opened).items
    assert code is not None
    of_image = facts(image, [{"CreatedBy": "RUN pip install requests"}])
    return emitted(code) | {
        ("container", name) for name in (*of_image, *(one for body in items.values() for one in body))
    }


def test_every_declared_attribute_is_emitted_by_some_collector(root: Path, tmp_path: Path) -> None:
    """A declared attribute that no collector yields is a promise that is not kept."""
    plant(tmp_path / "planted")
    configured = (
        fingerprint(f"root:{tmp_path / 'planted'}", Options(files=FILES, disclosure=disclosure))
        for disclosure in (Disclosure(clear=("*",)), Disclosure(Key(b"k" * 32)))
    )
    with_symbols = fingerprint(f"root:{root}", Options(symbols=True))
    found = (*engines_of_both_stores(root), *declaring(tmp_path / "declared"), *configured, with_symbols)
    seen = emitted(*(section for one in found for section in one.sections.values()))
    seen |= recorded() | told_by_an_engine(root) | {("python", "restart_needed")}  # which takes a running process
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
