"""Checks how a distribution is named and what its content is, whoever installed it, and however broken it is."""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.canonical import canonical, decode
from envparity_agent.collectors import PYTHON_ONLY
from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.python.direct_url import read_direct_url
from envparity_agent.collectors.python.distributions import (
    Distribution,
    read_entry,
)
from envparity_agent.collectors.python.metadata import MAX_METADATA, read_headers
from envparity_agent.fingerprint import Attributes, Reason, Target, clean
from envparity_agent.root import Root
from envparity_agent.survey import survey
from tests.agent.trees import distribution, put, record
from tests.agent.wheels import bare_environment, pip_environment, pip_install, uv_installed, wheel

IDS = ("content", "code", "pure")


def site_of(root: Path, reasons: set[str] | None = None) -> list[Distribution]:
    with Root(str(root)) as opened:
        return read_all(opened, ".", reasons)


def read_all(root: Root, place: str, reasons: set[str] | None = None) -> list[Distribution]:
    return list(read_entry(Subject(root), place, root.names(place), set() if reasons is None else reasons))


def only(root: Path) -> Distribution:
    [one] = site_of(root)
    return one


def python(place: Path) -> dict[str, Attributes]:
    """The items of a virtual environment, as its fingerprint has them."""
    with Root("/") as root:
        found = survey(Target("python", str(place)), Subject(root, only=str(place)), PYTHON_ONLY)
    [section] = found.sections.values()
    return dict(section.items)


@pytest.fixture(scope="module")
def pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pip_environment(tmp_path_factory.mktemp("pip") / "venv")


def test_content_is_equal_for_every_real_installation_of_one_wheel(
    pip: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    built = wheel(tmp_path / "wheels")
    elsewhere = bare_environment(tmp_path_factory.mktemp("elsewhere") / "quite" / "another-prefix")
    pip_install(pip, pip, built)
    pip_install(pip, elsewhere, built)
    places = filter(None, (pip, elsewhere, uv_installed(tmp_path / "by-uv", built)))
    found = [python(place)["shop"] for place in places]
    assert all(one["version"] == "1.0" and one["tags"] == ("py3-none-any",) for one in found)
    assert len({tuple(one[kind] for kind in IDS) for one in found}) == 1
    assert len({one["installer"] for one in found}) == len(found) - 1  # two of pip, one of uv where there is one


def test_content_differs_for_another_build_of_the_same_version(pip: Path, tmp_path: Path) -> None:
    first, second = (bare_environment(tmp_path / name) for name in ("first", "second"))
    pip_install(pip, first, wheel(tmp_path / "wheels-1"))
    pip_install(pip, second, wheel(tmp_path / "wheels-2", data="patched\n"))
    one, other = python(first)["shop"], python(second)["shop"]
    assert one["version"] == other["version"]
    assert one["content"] != other["content"]
    assert one["code"] != other["code"]
    assert one["pure"] == other["pure"]


def test_the_pip_of_a_real_environment_is_found_beside_its_python(pip: Path) -> None:
    items = python(pip)
    assert items["@python"]["role"] == "venv"
    assert items["@python"]["orphaned"] is False
    assert items["pip"]["installer"] == "pip"
    assert "problem" not in items["pip"]
    assert not {"urllib3", "packaging", "requests"} & items.keys()  # pip's vendored ones are not on sys.path


def test_a_wheel_is_told_by_its_metadata(tmp_path: Path) -> None:
    put(distribution(tmp_path, "MarkupSafe", "2.1.5"), "WHEEL", "Tag: cp311-b\nTag: cp311-a\nBuild: 2\n")
    found = only(tmp_path)
    assert (found.name, found.version, found.entry) == ("markupsafe", "2.1.5", "MarkupSafe-2.1.5.dist-info")
    assert found.attributes["tags"] == ("cp311-a", "cp311-b")
    assert found.attributes["build"] == "2"
    assert found.attributes["form"] == "dist-info"
    assert "problem" not in found.attributes


@pytest.mark.parametrize("name", ["zope.interface", "Zope_Interface", "zope--interface"])
def test_names_are_normalised(tmp_path: Path, name: str) -> None:
    put(tmp_path, "anything.dist-info/METADATA", f"Name: {name}\nVersion: 1\n")
    assert only(tmp_path).name == "zope-interface"


def test_a_distribution_without_a_record_is_managed_elsewhere_and_not_broken(tmp_path: Path) -> None:
    put(tmp_path, "foo-1.0.dist-info/METADATA", "Name: foo\nVersion: 1.0\n")
    found = only(tmp_path)
    assert "problem" not in found.attributes
    assert "content" not in found.attributes


def test_what_an_interrupted_upgrade_leaves_is_a_problem(tmp_path: Path) -> None:
    put(tmp_path, "foo_bar-1.0.dist-info/RECORD", "")
    found = only(tmp_path)
    assert found.name == "foo-bar"
    assert found.attributes["problem"] == "no metadata"


def test_egg_info_is_a_directory_or_a_file(tmp_path: Path) -> None:
    put(tmp_path, "one-1.0.egg-info/PKG-INFO", "Name: one\nVersion: 1.0\n")
    put(tmp_path, "two-2.0.egg-info", "Name: two\nVersion: 2.0\n")
    assert {(one.name, one.version, one.attributes["form"]) for one in site_of(tmp_path)} == {
        ("one", "1.0", "egg-info"),
        ("two", "2.0", "egg-info"),
    }


def egg(root: Path, name: str) -> Distribution:
    with Root(str(root)) as opened:
        [one] = read_all(opened, name)
    return one


def test_an_egg_is_a_directory_or_a_zip(tmp_path: Path) -> None:
    put(tmp_path, "site/one.egg/EGG-INFO/PKG-INFO", "Name: one\nVersion: 1.0\n")
    put(tmp_path, "site/one.egg/EGG-INFO/requires.txt", "two>1\n[:python_version > '3']\nsix\n[x:a]\nyarl\n[y]\nidna\n")
    with zipfile.ZipFile(tmp_path / "site/two.egg", "w") as archive:
        archive.writestr("EGG-INFO/PKG-INFO", "Name: two\nVersion: 2.0\n")
    one, two = (egg(tmp_path, f"site/{name}.egg") for name in ("one", "two"))
    assert (one.name, one.version, one.attributes["form"]) == ("one", "1.0", "egg")
    assert (two.name, two.version, two.attributes["form"]) == ("two", "2.0", "egg")
    assert one.requires == (
        "two>1", "six ; (python_version > '3')", 'yarl ; (a) and extra == "x"', 'idna ; extra == "y"',
    )  # fmt: skip


def test_a_zipped_egg_that_is_none_or_too_large_is_a_problem(tmp_path: Path) -> None:
    put(tmp_path, "none-1.egg", b"PK\x03\x04 nothing")
    with zipfile.ZipFile(tmp_path / "bomb-1.egg", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("EGG-INFO/PKG-INFO", bytes(MAX_METADATA + 1))
    with zipfile.ZipFile(tmp_path / "other-1.egg", "w") as archive:
        archive.writestr("other", "")
    told = [egg(tmp_path, f"{name}-1.egg").attributes["problem"] for name in ("none", "bomb", "other")]
    assert told == ["unread: invalid", "unread: cap", "unread: invalid"]


@pytest.mark.parametrize("metadata", ["Name: @python\n", "Name: a b\n", "Name: ../x\n", "Name: \u202ex\n"])
def test_a_name_that_none_can_have_imports_nothing(tmp_path: Path, metadata: str) -> None:
    put(tmp_path, "x-1.dist-info/METADATA", f"{metadata}Version: 1\n")
    assert only(tmp_path).name == ""


def test_what_pip_moved_aside_in_an_upgrade_imports_nothing(tmp_path: Path) -> None:
    put(tmp_path, "~oo-1.dist-info/METADATA", "Name: foo\nVersion: 1\n")
    assert only(tmp_path).name == ""


def test_vendored_metadata_does_not_count(tmp_path: Path) -> None:
    put(tmp_path, "setuptools/_vendor/packaging-24.1.dist-info/METADATA", "Name: packaging\nVersion: 24.1\n")
    assert site_of(tmp_path) == []


@pytest.mark.parametrize(
    ("metadata", "name", "version"),
    [
        ("Version: 1.0\n", "foo", "1.0"),
        ("Name: foo\n", "foo", ""),
        ("Name:\nVersion:\n", "foo", ""),
        ("", "foo", ""),
    ],
    ids=repr,
)
def test_metadata_without_a_name_or_a_version_is_a_problem(
    tmp_path: Path, metadata: str, name: str, version: str
) -> None:
    put(tmp_path, "foo-1.0.dist-info/METADATA", metadata)
    found = only(tmp_path)
    assert (found.name, found.version) == (name, version)
    assert found.attributes["problem"] == "no name or no version in the metadata"


def test_eighty_thousand_headers_are_read_in_one_pass(tmp_path: Path) -> None:
    noise = "".join(f"Classifier: number {number}\n" for number in range(40_000))
    put(tmp_path, "foo-1.0.dist-info/METADATA", f"{noise}Name: foo\n{noise}Version: 1.0\nVersion: 2.0\n\nName: bar\n")
    assert (only(tmp_path).name, only(tmp_path).version) == ("foo", "1.0")


@pytest.mark.parametrize(
    "metadata",
    [
        "Name: caf\xe9\nVersion: 1.0\n".encode("latin-1"),
        b"Name: a\0b\nVersion: 1\0\n",
        b"Name: a\nVersion: 1.0\nAuthor: \xed\xa0\x80\n",
        b"Name: a\nVersion: " + b"9" * 5000 + b"\n",
        b"Name: " + b"x" * 100_000 + b"\nVersion: 1.0\n",
        b"Name: ../../x\nVersion: ../../1\n",
        "Name: \u202egnp.exe\nVersion: 1.0\n".encode(),
        b"\xff\xfeN\0a\0m\0e\0",
    ],
    ids=lambda metadata: repr(metadata[:20]),
)
def test_whatever_metadata_holds_the_report_can_be_sent(tmp_path: Path, metadata: bytes) -> None:
    put(tmp_path, "foo-1.0.dist-info/METADATA", metadata)
    found = only(tmp_path)
    assert decode(canonical(clean([(found.name, found.attributes)])))


def test_bytes_that_are_no_text_are_shown_by_their_escapes(tmp_path: Path) -> None:
    put(tmp_path, "foo-1.0.dist-info/METADATA", b"Name: foo\nVersion: 1.0+\xe9\n")
    assert only(tmp_path).version == r"1.0+\xe9"


def test_metadata_tells_what_it_requires_and_how_it_writes_its_name(tmp_path: Path) -> None:
    put(
        tmp_path,
        "foo-1.0.dist-info/METADATA",
        "Name: Foo_Bar\r\nREQUIRES-DIST: b; extra == 'x'\r\nVersion: 1\r\nRequires-Dist: a\r\n"
        "Requires-Python: >=3.8\r\n\r\nRequires-Dist: words\r\n",
    )
    found = only(tmp_path).attributes
    assert (found["display"], found["requires_python"]) == ("Foo_Bar", ">=3.8")
    assert found["requires"] == ("b; extra == 'x'", "a")


def test_a_name_that_is_normal_is_not_told_twice(tmp_path: Path) -> None:
    distribution(tmp_path, "foo", "1.0")
    assert not {"display", "requires", "requires_python", "requested", "archive"} & only(tmp_path).attributes.keys()


def test_what_a_person_asked_for_is_said(tmp_path: Path) -> None:
    put(distribution(tmp_path, "foo", "1.0"), "REQUESTED")
    assert only(tmp_path).attributes["requested"] is True


@given(st.binary(max_size=300))
def test_no_metadata_is_more_than_texts(noise: bytes) -> None:
    found = read_headers(b"Name: x\nRequires-Dist: " + noise)
    assert found.name == "x"
    assert all(isinstance(one, str) for one in (found.version, found.requires_python, *found.requires))


def test_a_newline_in_a_directorys_name_stays_in_one_item(tmp_path: Path) -> None:
    put(tmp_path, "foo\nbar-1.0.dist-info/INSTALLER", "pip")
    assert (only(tmp_path).name, only(tmp_path).entry) == ("", "foo\nbar-1.0.dist-info")


@pytest.mark.parametrize("file", ["METADATA", "RECORD", "WHEEL", "INSTALLER", "direct_url.json"])
def test_a_file_that_is_a_fifo_is_a_problem_of_one_distribution(tmp_path: Path, file: str) -> None:
    folder = distribution(tmp_path, "foo", "1.0")
    distribution(tmp_path, "healthy", "1.0")
    (folder / file).unlink(missing_ok=True)
    os.mkfifo(folder / file)
    reasons: set[str] = set()
    foo, healthy = site_of(tmp_path, reasons)
    assert reasons == {Reason.NOT_REGULAR}
    assert "not-regular" in str(foo.attributes["problem"])
    assert "problem" not in healthy.attributes


def direct(root: Path, document: Any) -> Attributes:
    folder = distribution(root, "foo", "1.0")
    put(folder, "direct_url.json", document if isinstance(document, bytes) else json.dumps(document))
    return only(root).attributes


@pytest.mark.parametrize(
    "url",
    [
        "https://ann:hunter2@files.example/foo.whl",
        "https://hunter2@files.example/foo.whl",
        "https://files.example/foo.whl?token=hunter2",
        "https://files.example/foo.whl#token=hunter2",
        "ssh://ann:hunter2@git.example/foo",
        "ann:hunter2@git.example:foo.git",
    ],
)
def test_no_credential_of_a_direct_url_is_kept(tmp_path: Path, url: str) -> None:
    facts = direct(tmp_path, {"url": url, "archive_info": {}})
    assert b"hunter2" not in canonical(dict(facts))


def test_a_direct_url_is_kept_without_its_credentials(tmp_path: Path) -> None:
    facts = direct(tmp_path, {"url": "https://ann:hunter2@files.example:8443/a/foo.whl", "archive_info": {}})
    assert facts["source"] == "https://files.example:8443/a/foo.whl"


@pytest.mark.parametrize(
    ("archive", "told"),
    [
        ({"hashes": {"SHA256": "ABCDEF01", "md5": "01234567"}}, ("md5:01234567", "sha256:abcdef01")),
        ({"hash": "sha256=abcdef01"}, ("sha256:abcdef01",)),
        ({"hashes": {"sha256": "abcdef01"}, "hash": "md5=01234567"}, ("sha256:abcdef01",)),
        ({"hashes": {"sha256": "hunter2 and more", "user:pw": "abcdef01"}}, None),
    ],
)
def test_the_hashes_of_the_archive_are_told(tmp_path: Path, archive: Any, told: Any) -> None:
    assert direct(tmp_path, {"url": "https://x.example/foo.whl", "archive_info": archive}).get("archive") == told


def test_where_an_index_gave_the_archive_its_hashes_are_told(tmp_path: Path) -> None:
    folder = distribution(tmp_path, "foo", "1.0")
    put(folder, "provenance_url.json", '{"url": "https://x", "archive_info": {"hashes": {"sha256": "abcdef01"}}}')
    assert only(tmp_path).attributes["archive"] == ("sha256:abcdef01",)
    put(folder, "provenance_url.json", "{")
    assert "problem" not in only(tmp_path).attributes


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("url", "vcs_info", "dir_info", "archive_info"), json_values)))
def test_a_direct_url_of_any_shape_has_facts_or_a_problem(document: Any) -> None:
    found = read_direct_url(json.dumps(document).encode())
    assert "source" in found or found == {"problem": "direct_url.json: invalid"}
    assert decode(canonical(clean([("x", found)])))


def test_the_identity_of_version_control_is_its_commit(tmp_path: Path) -> None:
    vcs = {"vcs": "git", "requested_revision": "main", "commit_id": "0123abcd"}
    facts = direct(tmp_path, {"url": "https://git.example/foo", "vcs_info": vcs})
    assert facts["commit"] == "0123abcd"
    assert "main" not in facts.values()


def test_the_directory_of_an_editable_installation_is_that_of_its_url(tmp_path: Path) -> None:
    direct(tmp_path, {"url": "file:///srv/my%20code/../foo", "dir_info": {"editable": True}})
    assert only(tmp_path).source == "srv/foo"


def test_an_editable_installation_is_said(tmp_path: Path) -> None:
    facts = direct(tmp_path, {"url": "file:///srv/foo", "dir_info": {"editable": True}})
    assert facts["editable"] is True
    assert "editable" not in direct(tmp_path, {"url": "file:///srv/foo", "dir_info": {}})


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"[]", b"{}", b'"text"', b"\xff", b"[" * 100_000, b'{"url": ' + b"9" * 5000 + b"}"],
    ids=lambda body: repr(body[:12]),
)
def test_a_direct_url_that_is_none_is_a_problem(tmp_path: Path, document: bytes) -> None:
    facts = direct(tmp_path, document)
    assert facts["problem"] == "direct_url.json: invalid"
    assert facts["version"] == "1.0"


@pytest.mark.parametrize(
    "inner",
    [
        {"vcs_info": None},
        {"vcs_info": []},
        {"dir_info": 1},
        {"url": 5},
        {"vcs_info": {"commit_id": 5}},
        {"archive_info": []},
        {"archive_info": {"hashes": "sha256"}},
        {"archive_info": {"hashes": {"sha256": 1}}},
        {"archive_info": {"hash": 1}},
    ],
)
def test_a_direct_url_of_another_shape_is_a_problem(tmp_path: Path, inner: dict[str, Any]) -> None:
    assert direct(tmp_path, {"url": "https://x.example", **inner})["problem"] == "direct_url.json: invalid"


def test_a_site_directory_that_is_too_large_is_read_up_to_a_cap_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envparity_agent.collectors.python.distributions.MAX_ENTRIES", 3)
    for name in "abcd":
        put(tmp_path, f"{name}-1.egg-info", f"Name: {name}\nVersion: 1\n")
    reasons: set[str] = set()
    assert [one.name for one in site_of(tmp_path, reasons)] == ["a", "b", "c"]
    assert reasons == {Reason.CAP}


def test_a_record_counts_what_it_lists(tmp_path: Path) -> None:
    files = {"foo/__init__.py": b"one"}
    put(distribution(tmp_path, "foo", "1.0"), "RECORD", record(files, "foo-1.0.dist-info/RECORD"))
    one = only(tmp_path).attributes["content"]
    put(tmp_path / "foo-1.0.dist-info", "RECORD", record({"foo/__init__.py": b"two"}, "foo-1.0.dist-info/RECORD"))
    assert only(tmp_path).attributes["content"] != one


def test_a_distribution_is_read_again_when_a_file_of_it_was_edited_in_place(tmp_path: Path) -> None:
    folder = distribution(tmp_path, "foo", "1.0")
    with Root(str(tmp_path)) as root:
        subject = Subject(root)

        def read() -> Distribution:
            subject.memory.begin()
            [found] = read_entry(subject, ".", root.names("."), set())
            return found

        first = read()
        assert read() is first
        with (folder / "METADATA").open("r+") as file:
            file.write("Metadata-Version: 2.1\nName: foo\nVersion: 9.9\n")
        assert read().version == "9.9"


def test_what_could_not_be_read_is_tried_again(tmp_path: Path) -> None:
    folder = distribution(tmp_path, "foo", "1.0")
    (folder / "WHEEL").unlink()
    (folder / "WHEEL").symlink_to("WHEEL")
    with Root(str(tmp_path)) as root:
        subject = Subject(root)
        [first] = read_entry(subject, ".", root.names("."), set())
        reasons: set[str] = set()
        [again] = read_entry(subject, ".", root.names("."), reasons)
    assert first is not again
    assert reasons == {Reason.SYMLINKS}
