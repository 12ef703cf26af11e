"""Checks how a distribution is named and what its content is, whoever installed it, and however broken it is."""

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.canonical import canonical, decode
from envparity_agent.collectors import PYTHON_ONLY
from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.python.distributions import (
    MAX_METADATA,
    Distribution,
    added_paths,
    content_ids,
    read_entry,
)
from envparity_agent.fingerprint import Attributes, Reason, Target, clean
from envparity_agent.root import Root
from envparity_agent.survey import survey
from tests.agent.trees import distribution, put, record
from tests.agent.wheels import bare_environment, pip_environment, pip_install, uv_installed, wheel

IDS = ("content", "code", "pure")

# the same wheel by pip (CRLF, its own files) and by uv (LF), as they wrote it
BY_PIP = (
    "../../../bin/shop,sha256=o5x,208\r\n"
    "shop-1.0.dist-info/INSTALLER,sha256=zuu,4\r\n"
    "shop-1.0.dist-info/METADATA,sha256=meta,50\r\n"
    "shop-1.0.dist-info/RECORD,,\r\n"
    "shop-1.0.dist-info/REQUESTED,sha256=47D,0\r\n"
    "shop-1.0.dist-info/direct_url.json,sha256=url,90\r\n"
    "shop/__init__.py,sha256=init,30\r\n"
    "shop/__pycache__/__init__.cpython-311.pyc,,\r\n"
    "shop/data.txt,sha256=data,5\r\n"
)
BY_UV = (
    "shop/data.txt,sha256=data,5\n"
    "shop/__init__.py,sha256=init,30\n"
    "shop-1.0.dist-info/METADATA,sha256=meta,50\n"
    "shop-1.0.dist-info/INSTALLER,sha256=5hh,2\n"
    "shop-1.0.dist-info/uv_cache.json,sha256=cac,100\n"
    "shop-1.0.dist-info/direct_url.json,sha256=other,99\n"
    "shop-1.0.dist-info/RECORD,,\n"
    "../../../bin/shop,sha256=abc,300\n"
)


def ids(text: str, entry: str = "shop-1.0.dist-info") -> Mapping[str, Any]:
    return content_ids(text.encode(), entry)


def site_of(root: Path, reasons: set[str] | None = None) -> list[Distribution]:
    with Root(str(root)) as opened:
        return list(read_entry(opened, ".", set() if reasons is None else reasons))


def only(root: Path) -> Distribution:
    [one] = site_of(root)
    return one


def python(place: Path) -> dict[str, Attributes]:
    """The distributions of a virtual environment, as its fingerprint has them."""
    with Root("/") as root:
        found = survey(Target("python", str(place)), Subject(root, only=str(place)), PYTHON_ONLY)
    [section] = found.sections.values()
    return dict(section.items)


def test_content_is_equal_for_pip_and_uv() -> None:
    assert set(ids(BY_PIP)) == set(IDS)
    assert ids(BY_PIP) == ids(BY_UV)


@pytest.mark.parametrize(
    "rewritten",
    [
        BY_PIP.replace("\r\n", "\n"),
        BY_PIP.replace("../../../bin/shop", "/usr/local/bin/shop"),
        BY_PIP.replace("shop/data.txt", r"shop\data.txt"),
        BY_PIP.replace("shop/data.txt", '"shop/data.txt"'),
        BY_PIP + "shop/data.txt,sha256=data,5\r\n",
        BY_PIP + "shop/legacy.pyc,sha256=x,1\r\nshop/__pycache__/main.nbi,sha256=x,1\r\n",
        BY_PIP + "C:/Scripts/shop.exe,sha256=x,1\r\n\r\n",
        BY_PIP + "shop-1.0.dist-info/RECORD.jws,sha256=x,1\r\nshop-1.0.dist-info/provenance_url.json,sha256=x,1\r\n",
    ],
)
def test_what_depends_on_the_installation_is_no_content(rewritten: str) -> None:
    assert ids(rewritten) == ids(BY_PIP)


def test_the_name_of_the_metadata_directory_is_no_content() -> None:
    renamed = BY_PIP.replace("shop-1.0.dist-info", "Shop-1.0.dist-info")
    assert ids(renamed, "Shop-1.0.dist-info") == ids(BY_PIP)


def changed_by(old: str, new: str) -> set[str]:
    before, after = ids(BY_PIP), ids(BY_PIP.replace(old, new))
    return {kind for kind in IDS if before[kind] != after[kind]}


def test_another_file_is_other_content_of_just_its_kinds() -> None:
    assert changed_by("sha256=init", "sha256=patched") == {"content", "code", "pure"}
    assert changed_by("sha256=data", "sha256=patched") == {"content", "code"}
    assert changed_by("sha256=meta", "sha256=patched") == {"content"}
    assert changed_by("shop/data.txt", "shop/more.txt") == {"content", "code"}


def test_a_record_that_is_no_table_is_a_problem() -> None:
    assert ids(f"shop/{'x' * 200_000}.py,sha256=a,1\n") == {"problem": "RECORD: invalid"}


@given(st.binary(max_size=200))
def test_no_record_is_more_than_a_problem(noise: bytes) -> None:
    assert set(content_ids(noise, "shop-1.0.dist-info")) in ({"problem"}, set(IDS))


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
        [one] = read_entry(opened, name, set())
    return one


def test_an_egg_is_a_directory_or_a_zip_that_a_pth_file_names(tmp_path: Path) -> None:
    put(tmp_path, "site/one.egg/EGG-INFO/PKG-INFO", "Name: one\nVersion: 1.0\n")
    with zipfile.ZipFile(tmp_path / "site/two.egg", "w") as archive:
        archive.writestr("EGG-INFO/PKG-INFO", "Name: two\nVersion: 2.0\n")
    put(tmp_path, "site/easy-install.pth", "./one.egg\n./two.egg\n./gone.egg\n")
    assert added(tmp_path) == ["site/one.egg", "site/two.egg"]
    found = [egg(tmp_path, name) for name in added(tmp_path)]
    assert [(one.name, one.version, one.attributes["form"]) for one in found] == [
        ("one", "1.0", "egg"),
        ("two", "2.0", "egg"),
    ]


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


def test_the_identity_of_version_control_is_its_commit(tmp_path: Path) -> None:
    vcs = {"vcs": "git", "requested_revision": "main", "commit_id": "0123abcd"}
    facts = direct(tmp_path, {"url": "https://git.example/foo", "vcs_info": vcs})
    assert facts["commit"] == "0123abcd"
    assert "main" not in facts.values()


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


@pytest.mark.parametrize("inner", [{"vcs_info": None}, {"vcs_info": []}, {"dir_info": 1}])
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


def added(root: Path, reasons: set[str] | None = None) -> list[str]:
    with Root(str(root)) as opened:
        return list(added_paths(opened, "site", set() if reasons is None else reasons))


def test_path_lines_of_pth_files_are_followed_and_import_lines_never_executed(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    for name in ("absolute", "site/relative", "beside", "site/import os"):
        (tmp_path / name).mkdir(parents=True)
    put(
        tmp_path,
        "site/a.pth",
        f"# comment\n/absolute\nimport os; open({str(canary)!r}, 'w')\nimport\tos\nimport os\n"
        "relative\n\n../beside\nnowhere\n",
    )
    put(tmp_path, "site/b.pth", "/absolute/../../../beside\n")
    put(tmp_path, "site/sitecustomize.py", f"open({str(canary)!r}, 'w')\n")
    put(tmp_path, "site/.hidden.pth", "/absolute\n")
    assert added(tmp_path) == ["absolute", "site/relative", "beside", "beside"]
    assert not canary.exists()


def test_a_pth_file_that_cannot_be_read_adds_nothing_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "more").mkdir()
    os.mkfifo(tmp_path / "site/a.pth")
    put(tmp_path, "site/b.pth", b"\xff\xfe\n/more\n")
    reasons: set[str] = set()
    assert added(tmp_path, reasons) == ["more"]
    assert reasons == {Reason.NOT_REGULAR}


def test_a_record_counts_what_it_lists(tmp_path: Path) -> None:
    files = {"foo/__init__.py": b"one"}
    put(distribution(tmp_path, "foo", "1.0"), "RECORD", record(files, "foo-1.0.dist-info/RECORD"))
    one = only(tmp_path).attributes["content"]
    put(tmp_path / "foo-1.0.dist-info", "RECORD", record({"foo/__init__.py": b"two"}, "foo-1.0.dist-info/RECORD"))
    assert only(tmp_path).attributes["content"] != one
