"""Checks that what imports has its plain name in an environment, and that everything else says where it is."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TypeVar

import pytest

from envparity_agent.collectors.interface import Options, Subject
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.python.environments import Neighbours, collect
from envparity_agent.errors import UsageError
from envparity_agent.fingerprint import Attributes, Reason, Section, Status
from envparity_agent.root import Root
from envparity_agent.targets import fingerprint
from tests.agent.roots import fingerprint_of
from tests.agent.trees import distribution, interpreter, put, venv

Facts = TypeVar("Facts")

SYSTEM_SITE = "home = /usr/bin\nversion = 3.11.2\ninclude-system-site-packages = true\n"


def read(root: Path, name: str = "srv/app") -> Section:
    return fingerprint_of(root).sections[f"python/{name}"]


def versions(items: dict[str, Attributes] | Section) -> dict[str, object]:
    found = items.items if isinstance(items, Section) else items
    return {name: body.get("version") for name, body in found.items() if name != "@python"}


@pytest.mark.parametrize(("stale", "current"), [("3.4", "3.7"), ("3.7", "3.4"), ("10.0", "9.0")])
def test_a_stale_distribution_beside_the_current_one_does_not_take_its_name(
    tmp_path: Path, stale: str, current: str
) -> None:
    """As seen with idna 3.4 and 3.7: pip and importlib.metadata told the one that does not import."""
    site = venv(tmp_path, "srv/app")
    distribution(site, "idna", stale, {"idna/core.py": f"version = {stale!r} and more", "idna/old.py": ""})
    (site / "idna/old.py").unlink()
    distribution(site, "idna", current, {"idna/core.py": f"version = {current!r}"})
    assert versions(read(tmp_path)) == {
        "idna": current,
        f"idna#lib/python3.11/site-packages/idna-{stale}.dist-info": stale,
    }


def test_a_broken_distribution_does_not_take_the_name_of_a_whole_one(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app")
    distribution(site, "idna", "3.7")
    put(site, "idna-9.9.dist-info/INSTALLER", "pip")
    section = read(tmp_path)
    assert versions(section)["idna"] == "3.7"
    [other] = [name for name in section.items if name.startswith("idna#")]
    assert section.items[other]["problem"] == "no metadata"


def test_the_base_interpreters_packages_are_visible_only_where_the_configuration_says_so(tmp_path: Path) -> None:
    interpreter(tmp_path)
    distribution(tmp_path / "usr/lib/python3/dist-packages", "packaged", "1")
    venv(tmp_path, "srv/app")
    venv(tmp_path, "srv/open", configuration=SYSTEM_SITE)
    assert versions(read(tmp_path)) == {}
    assert versions(read(tmp_path, "srv/open")) == {"packaged": "1"}
    assert read(tmp_path, "srv/open").items["packaged"]["location"] == "/usr/lib/python3/dist-packages"


def test_an_environments_own_distribution_shadows_the_systems(tmp_path: Path) -> None:
    interpreter(tmp_path)
    distribution(tmp_path / "usr/lib/python3/dist-packages", "requests", "2.28")
    distribution(venv(tmp_path, "srv/app", configuration=SYSTEM_SITE), "requests", "2.32")
    section = read(tmp_path)
    assert versions(section) == {
        "requests": "2.32",
        "requests#/usr/lib/python3/dist-packages/requests-2.28.dist-info": "2.28",
    }


def test_what_an_administrator_installed_shadows_what_debian_packaged(tmp_path: Path) -> None:
    interpreter(tmp_path)
    distribution(tmp_path / "usr/lib/python3/dist-packages", "requests", "2.28")
    distribution(tmp_path / "usr/local/lib/python3.11/dist-packages", "requests", "2.32")
    assert versions(read(tmp_path, "usr/lib/python3.11"))["requests"] == "2.32"


def test_a_directory_that_a_pth_file_adds_is_read_after_its_site(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app")
    distribution(site, "shop", "1")
    distribution(tmp_path / "srv/src", "shop", "2")
    distribution(tmp_path / "srv/src", "theme", "3")
    put(site, "added.pth", "/srv/src\nimport os; os.mkdir('/srv/canary')\n")
    found = versions(read(tmp_path))
    assert (found["shop"], found["theme"]) == ("1", "3")


def test_a_distribution_whose_modules_are_hidden_by_the_standard_library_does_not_import(tmp_path: Path) -> None:
    interpreter(tmp_path)
    put(tmp_path, "usr/lib/python3.11/dataclasses.py")
    site = venv(tmp_path, "srv/app")
    distribution(site, "dataclasses", "0.8", {"dataclasses.py": "old"})
    distribution(site, "shop", "1", {"shop/__init__.py": "", "dataclasses/__init__.py": ""})
    assert versions(read(tmp_path)) == {
        "dataclasses#lib/python3.11/site-packages/dataclasses-0.8.dist-info": "0.8",
        "shop": "1",
    }


def test_a_distribution_whose_package_lies_in_an_earlier_entry_does_not_import_unless_they_share_it(
    tmp_path: Path,
) -> None:
    interpreter(tmp_path)
    system = tmp_path / "usr/lib/python3/dist-packages"
    distribution(system, "pillow", "9", {"PIL/__init__.py": "", "PIL/Image.py": ""})
    distribution(system, "google-auth", "1", {"google/auth/__init__.py": ""})
    site = venv(tmp_path, "srv/app", configuration=SYSTEM_SITE)
    distribution(site, "pillow-simd", "8", {"PIL/__init__.py": ""})
    distribution(site, "google-api", "2", {"google/api/__init__.py": ""})
    assert versions(read(tmp_path)) == {
        "google-api": "2",
        "google-auth": "1",
        "pillow-simd": "8",
        "pillow#/usr/lib/python3/dist-packages/pillow-9.dist-info": "9",
    }


class _Counted(Root):
    """A root that counts how often it is asked for a package."""

    asked = 0

    def is_file(self, path: str) -> bool:
        self.asked += path.endswith("shared/__init__.py")
        return super().is_file(path)


def test_a_directory_of_many_entries_is_looked_into_once_for_each(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/venv")
    places = [f"srv/more/{number}" for number in range(20)]
    for number, place in enumerate(places):
        distribution(tmp_path / place, f"part{number}", "1")
        (tmp_path / place / "shared").mkdir()
    put(site, "more.pth", "".join(f"/{place}\n" for place in places))
    root = _Counted(str(tmp_path))
    with root:
        [section] = collect(Subject(root, only="/srv/venv"))
        assert len(section.items) == 1 + len(places)
        assert root.asked < len(places)


def test_an_egg_imports_only_where_a_pth_file_names_it(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app")
    put(site, "one.egg/EGG-INFO/PKG-INFO", "Name: one\nVersion: 1\n")
    put(site, "two.egg/EGG-INFO/PKG-INFO", "Name: two\nVersion: 2\n")
    put(site, "easy-install.pth", "./one.egg\n")
    assert versions(read(tmp_path)) == {"one": "1", "two#lib/python3.11/site-packages/two.egg": "2"}


def test_requirements_are_held_against_what_imports_under_the_environments_own_markers(tmp_path: Path) -> None:
    interpreter(tmp_path, abi="3.7", version="3.7.3")
    site = venv(tmp_path, "srv/app", abi="3.7", configuration="home = /usr/bin\nversion = 3.7.3\n")
    folder = distribution(site, "shop", "1")
    requires = "".join(
        f"Requires-Dist: {one}\n" for one in ("idna>=3", "six; python_version < '3.8'", "a; extra == 'x'")
    )
    put(folder, "METADATA", f"Name: shop\nVersion: 1\n{requires}")
    distribution(site, "idna", "2")
    assert read(tmp_path).items["shop"]["unmet"] == ("idna>=3 (has 2)", "six (not installed)")
    assert "unmet" not in read(tmp_path).items["idna"]


def test_a_distribution_of_the_system_names_its_owner_and_not_where_it_was_built(tmp_path: Path) -> None:
    interpreter(tmp_path)
    folder = distribution(tmp_path / "usr/lib/python3/dist-packages", "six", "1.16")
    put(folder, "direct_url.json", '{"url": "file:///build/six", "dir_info": {}}')

    def owner(path: str) -> str | None:
        return "deb:python3-six 1.16-4" if path.endswith("six-1.16.dist-info/METADATA") else None

    with Root(str(tmp_path)) as root:
        neighbours = Neighbours(owner=owner, checkout=lambda *_: {})
        [section] = collect(Subject(root, only="usr"), lambda _: neighbours)
    assert section.items["six"]["owner"] == "deb:python3-six 1.16-4"
    assert "source" not in section.items["six"]


def test_a_second_look_at_what_did_not_change_tells_the_same_of_it(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app")
    distribution(site, "shop", "1")
    put(distribution(site, "idna", "3"), "METADATA", "Name: idna\nVersion: 3\nRequires-Dist: six\n")
    with Root(str(tmp_path)) as root:
        subject = Subject(root, only="srv/app")
        [first] = collect(subject)
        subject.memory.begin()
        assert list(collect(subject)) == [first]
        distribution(site, "six", "1")
        subject.memory.begin()
        [third] = collect(subject)
    assert "unmet" in first.items["idna"]
    assert "unmet" not in third.items["idna"]


def test_an_environment_is_told_by_the_name_that_the_operator_gave_it(tmp_path: Path) -> None:
    venv(tmp_path, "srv/app")
    found = fingerprint("local", Options(root=str(tmp_path), names={"shop": "/srv/app/"}))
    assert "python/shop" in found.sections
    assert "python/srv/app" not in found.sections
    assert found.sections["python/shop"].observed == {"location": "/srv/app"}


def test_an_environment_that_cannot_be_read_is_said_to_be_unread_and_the_others_stand(tmp_path: Path) -> None:
    venv(tmp_path, "srv/good")
    (tmp_path / "srv/bad").mkdir()
    os.mkfifo(tmp_path / "srv/bad/pyvenv.cfg")
    found = fingerprint_of(tmp_path)
    bad = found.sections["python/srv/bad"]
    assert (bad.status, bad.reasons, set(bad.items)) == (Status.PARTIAL, (Reason.NOT_REGULAR,), {"@python"})
    assert found.sections["python/srv/good"].status is Status.OK
    assert found.sections["python"].status is Status.OK


def test_no_distribution_can_pass_for_the_interpreter(tmp_path: Path) -> None:
    put(venv(tmp_path, "srv/app"), "x-1.dist-info/METADATA", "Name: @python\nVersion: 9.9\n")
    section = read(tmp_path)
    assert section.items["@python"]["role"] == "venv"
    assert section.count == 2


def test_two_directories_with_the_same_content_have_the_same_facts(tmp_path: Path) -> None:
    """What is in an environment does not depend on where it is."""
    for prefix in ("srv/app", "opt/elsewhere/app"):
        distribution(venv(tmp_path, prefix), "shop", "1")
    assert read(tmp_path).hash == read(tmp_path, "opt/elsewhere/app").hash


def at(place: Path) -> dict[str, Section]:
    return dict(fingerprint(str(place), Options()).sections)


def test_an_environment_is_named_by_its_directory_its_prefix_or_its_site_directory(tmp_path: Path) -> None:
    distribution(venv(tmp_path, "app"), "shop", "1")
    interpreter(tmp_path)
    [of_venv] = at(tmp_path / "app").values()
    [of_prefix] = at(tmp_path / "usr").values()
    [of_site] = at(tmp_path / "app/lib/python3.11/site-packages").values()
    assert [one.items["@python"]["role"] for one in (of_venv, of_prefix, of_site)] == ["venv", "interpreter", "site"]
    assert versions(of_site) == versions(of_venv) == {"shop": "1"}


def test_a_directory_without_an_environment_is_no_target(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no Python environment"):
        at(tmp_path)


class Installing(Memory):
    """Is asked for each distribution, and then installs another one: an installer at work during the survey."""

    def __init__(self, site: Path, count: int) -> None:
        super().__init__()
        self._site, self._left = site, count

    def recall(self, key: Hashable, stamp: Hashable, read: Callable[[], Facts]) -> Facts:
        if self._left and "distribution" in str(key):
            self._left -= 1
            distribution(self._site, f"added-{self._left}", "1")
        return super().recall(key, stamp, read)


@pytest.mark.parametrize(("count", "reasons"), [(0, ()), (1, ()), (100, (Reason.VANISHED,))])
def test_an_environment_that_changes_while_it_is_read_is_read_once_more(
    tmp_path: Path, count: int, reasons: tuple[str, ...]
) -> None:
    site = venv(tmp_path, "srv/app")
    distribution(site, "shop", "1")
    with Root(str(tmp_path)) as root:
        [section] = collect(Subject(root, only="srv/app", memory=Installing(site, count)))
    assert section.reasons == reasons
    assert {"shop", *(["added-0"] if count == 1 else [])} <= section.items.keys()


@pytest.mark.parametrize(
    ("aside", "there", "reasons"),
    [
        ("~hop-1.dist-info", (), (Reason.VANISHED,)),
        ("~hop-1.dist-info", ("shop-2.dist-info",), ()),
        ("~-op-1.dist-info", ("shop-2.dist-info",), ()),
        ("~hop-1.dist-info", ("shop",), (Reason.VANISHED,)),
        ("~hop-1.dist-info", ("workshop-2.dist-info",), (Reason.VANISHED,)),
        ("~hop-1.dist-info", ("~hop-2.dist-info",), (Reason.VANISHED,)),
        ("~hop", ("shop",), ()),
        ("~hop", (), (Reason.VANISHED,)),
    ],
)
def test_a_distribution_that_was_moved_aside_and_not_replaced_is_not_known_to_be_gone(
    tmp_path: Path, aside: str, there: tuple[str, ...], reasons: tuple[str, ...]
) -> None:
    site = venv(tmp_path, "srv/app")
    distribution(site, "other", "1")
    for name in (aside, *there):
        (site / name).mkdir()
    section = read(tmp_path)
    assert section.reasons == reasons


def test_names_that_were_moved_aside_in_more_ways_than_pip_has_are_not_looked_through(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app")
    for number in range(200):
        (site / f"{'~' * number}~x").mkdir()
    section = read(tmp_path)
    assert section.reasons == (Reason.VANISHED,)


class Removing(Memory):
    """Is asked for a distribution, and then removes the venv that it is in, or makes it anew without any."""

    def __init__(self, prefix: Path, again: bool) -> None:
        super().__init__()
        self._prefix, self._again = prefix, again

    def recall(self, key: Hashable, stamp: Hashable, read: Callable[[], Facts]) -> Facts:
        if "distribution" in str(key) and self._prefix.is_dir():
            self._prefix.rename(self._prefix.with_name("gone"))
            if self._again:
                venv(self._prefix.parents[1], "srv/app")
        return super().recall(key, stamp, read)


@pytest.mark.parametrize(("again", "reasons"), [(False, (Reason.VANISHED,)), (True, ())])
def test_a_venv_that_is_removed_while_it_is_read_is_not_told_as_whole_and_empty(
    tmp_path: Path, again: bool, reasons: tuple[str, ...]
) -> None:
    distribution(venv(tmp_path, "srv/app"), "shop", "1")
    memory = Removing(tmp_path / "srv/app", again)
    with Root(str(tmp_path)) as root:
        [section] = collect(Subject(root, only="srv/app", memory=memory))
    assert section.reasons == reasons


def test_a_process_that_is_older_than_what_is_installed_asks_for_a_restart(tmp_path: Path) -> None:
    made = tmp_path / "app"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made], check=True)
    [site] = made.glob("lib/python*/site-packages")
    distribution(site, "idna", "3.7")

    def asked() -> object:
        [section] = [one for one in fingerprint(str(made), Options()).sections.values() if one.kind == "python"]
        return section.items["@python"].get("restart_needed")

    with subprocess.Popen([made / "bin/python", "-c", "input()"], stdin=subprocess.PIPE) as program:
        before = asked()
        later = time.time() + 60
        os.utime(site / "idna-3.7.dist-info", (later, later))
        after = asked()
        program.communicate(b"\n")
    assert (before, after, asked()) == (None, True, None)


def test_the_one_venv_of_an_application_has_its_name(tmp_path: Path) -> None:
    for place in ("srv/shop/.venv", "srv/two/a", "srv/two/b", "srv/shopping/.venv"):
        venv(tmp_path, place)
    asked = Options(root=str(tmp_path), applications={"shop": "/srv/shop", "two": "/srv/two", "gone": "/srv/gone"})
    found = fingerprint("local", asked).sections
    assert {path for path in found if path.startswith("python/")} == {
        "python/shop", "python/srv/two/a", "python/srv/two/b", "python/srv/shopping/.venv",
    }  # fmt: skip
    assert found["python/shop"].observed == {"location": "/srv/shop/.venv"}


def test_environments_that_time_did_not_suffice_for_are_said_and_come_first_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        distribution(venv(tmp_path, f"srv/{name}"), "idna", "3.7")
    memory = Memory()
    monkeypatch.setattr("envparity_agent.collectors.python.environments.READING_SECONDS", -1.0)
    with Root(str(tmp_path)) as root:
        first = {one.path: one for one in collect(Subject(root, memory=memory)) if one.kind == "python"}
        monkeypatch.undo()
        memory.begin()
        memory.earlier = {**memory.earlier, "environments left unread ": ["srv/c"]}
        second = [one.path for one in collect(Subject(root, memory=memory)) if one.kind == "python"]
    assert {(one.status, one.reasons) for one in first.values()} == {(Status.FAILED, (Reason.CAP,))}
    assert second == ["python/srv/c", "python/srv/a", "python/srv/b"]
