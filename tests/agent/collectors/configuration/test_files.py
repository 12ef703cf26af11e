"""Checks the sections of configuration files: by key, whole, missing, unreadable, and remembered."""

import os
from pathlib import Path

import pytest

from envparity_agent.collectors.configuration.files import collect
from envparity_agent.collectors.interface import Options, Subject
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.values import Disclosure, Key
from envparity_agent.fingerprint import Reason, Section, Status
from envparity_agent.root import Root
from tests.agent.trees import put

KEYED = Disclosure(Key(b"k" * 32), ("clear",))


def sections(
    root: Path, *files: str, disclosure: Disclosure = KEYED, memory: Memory | None = None
) -> dict[str, Section]:
    """The sections of the files that are named, by path, without the one that says that some are."""
    with Root(os.fspath(root)) as opened:
        options = Options(files=files, disclosure=disclosure)
        found = {one.path: one for one in collect(Subject(opened, options, memory=memory or Memory()))}
    assert found.pop("config").status == (Status.OK if files else Status.ABSENT)
    return found


def test_a_keyed_file_is_told_by_key(tmp_path: Path) -> None:
    put(tmp_path, "etc/shop.env", "clear=1\nPASSWORD=hunter2\n").chmod(0o640)
    (found,) = sections(tmp_path, "/etc/shop.env").values()
    assert (found.path, found.kind, found.status) == ("config/etc/shop.env", "file", Status.OK)
    assert found.items == {
        "@file": {"mode": "0640", "format": "env"},
        "clear": {"value": "1"},
        "PASSWORD": KEYED.of("PASSWORD", "hunter2"),
    }


def test_another_file_is_told_whole(tmp_path: Path) -> None:
    put(tmp_path, "etc/hosts", b"\xff\r\n")
    (one,) = sections(tmp_path, "/etc/hosts").values()
    put(tmp_path, "etc/hosts", b"\xff\n")
    (other,) = sections(tmp_path, "/etc/hosts").values()
    assert one.items.keys() == other.items.keys() == {"@file"}
    assert one.items["@file"]["hmac"] != other.items["@file"]["hmac"]
    assert one.status == Status.OK


def test_no_setting_tells_a_whole_file_in_clear(tmp_path: Path) -> None:
    put(tmp_path, "etc/token", "hunter2")
    (found,) = sections(tmp_path, "/etc/token", disclosure=Disclosure(clear=("*",))).values()
    assert "value" not in found.items["@file"]


def test_without_a_key_the_section_says_so(tmp_path: Path) -> None:
    put(tmp_path, "etc/shop.env", "A=1\n")
    put(tmp_path, "etc/zone.env", "TZ=UTC\n")
    found = sections(tmp_path, "/etc/*.env", disclosure=Disclosure())
    one, other = found["config/etc/shop.env"], found["config/etc/zone.env"]
    assert (one.status, one.reasons, one.items["A"]) == (Status.PARTIAL, (Reason.NO_KEY,), {"hidden": True})
    assert (other.status, other.reasons, other.items["TZ"]) == (Status.OK, (), {"value": "UTC"})


def test_an_invalid_file_is_told_whole_and_said(tmp_path: Path) -> None:
    put(tmp_path, "etc/shop.json", "{")
    put(tmp_path, "etc/nginx.conf", "http { }\n")
    found = sections(tmp_path, "/etc/*")
    invalid, other = found["config/etc/shop.json"], found["config/etc/nginx.conf"]
    assert (invalid.status, invalid.reasons) == (Status.PARTIAL, (Reason.INVALID,))
    assert invalid.items["@file"].keys() == {"mode", "format", "hmac", "key"}
    assert (other.status, other.items["@file"]["format"]) == (Status.OK, "whole")


def test_a_file_that_is_cut_is_told_whole_as_well(tmp_path: Path) -> None:
    put(tmp_path, "etc/shop.json", '{"a":' * 40 + "1" + "}" * 40)
    (found,) = sections(tmp_path, "/etc/shop.json").values()
    assert (found.status, found.reasons) == (Status.PARTIAL, (Reason.CAP,))
    assert "hmac" in found.items["@file"]


def test_a_file_that_is_not_there_is_absent(tmp_path: Path) -> None:
    put(tmp_path, "etc/hosts")
    found = sections(tmp_path, "/etc/shop.env", "/srv/*/.env", "/etc/hosts/x")
    assert list(found) == ["config/etc/shop.env", "config/srv/*/.env", "config/etc/hosts/x"]
    assert {(one.status, one.reasons) for one in found.values()} == {(Status.ABSENT, (Reason.NOT_INSTALLED,))}


def test_what_cannot_be_read_has_failed(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    os.mkfifo(tmp_path / "etc/fifo.env")
    (tmp_path / "etc/loop.env").symlink_to("loop.env")
    put(tmp_path, "etc/large.env", b"#" * (1024 * 1024 + 1))
    (tmp_path / "etc/folder.env").mkdir()
    found = sections(tmp_path, "/etc/fifo.env", "/etc/loop.env", "/etc/large.env", "/etc/folder.env")
    assert {path: (one.status, one.reasons) for path, one in found.items()} == {
        "config/etc/fifo.env": (Status.FAILED, (Reason.NOT_REGULAR,)),
        "config/etc/loop.env": (Status.FAILED, (Reason.SYMLINKS,)),
        "config/etc/large.env": (Status.FAILED, (Reason.CAP,)),
        "config/etc/folder.env": (Status.FAILED, (Reason.NOT_REGULAR,)),
    }


def test_a_link_leads_nowhere_outside_the_root(tmp_path: Path) -> None:
    put(tmp_path, "outside.env", "PASSWORD=hunter2")
    put(tmp_path, "root/etc/hosts")
    (tmp_path / "root/etc/shop.env").symlink_to("../../outside.env")
    (found,) = sections(tmp_path / "root", "/etc/shop.env").values()
    assert found.status == Status.ABSENT


def test_a_pattern_names_files_but_nothing_hidden(tmp_path: Path) -> None:
    for path in ("srv/a/x.ini", "srv/b/x.ini", "srv/.c/x.ini", "srv/b/.x.ini", "srv/b/y.txt", "srv/x.ini/z"):
        put(tmp_path, path, "[a]")
    assert list(sections(tmp_path, "/srv/*/*.ini")) == ["config/srv/a/x.ini", "config/srv/b/x.ini"]
    assert list(sections(tmp_path, "/srv/*/.*.ini", "srv/b/.x.ini")) == ["config/srv/b/.x.ini"]
    assert list(sections(tmp_path, "/srv/*.ini")) == ["config/srv/*.ini"]


def test_a_pattern_that_names_too_many_has_failed(tmp_path: Path) -> None:
    for number in range(1001):
        put(tmp_path, f"etc/{number}")
    (found,) = sections(tmp_path, "/etc/*").values()
    assert (found.path, found.status, found.reasons) == ("config/etc/*", Status.FAILED, (Reason.CAP,))


def test_a_file_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    put(tmp_path, "etc/shop.env", "A=1\n")
    memory = Memory()

    def again(disclosure: Disclosure = KEYED) -> Section:
        memory.begin()
        return sections(tmp_path, "/etc/shop.env", disclosure=disclosure, memory=memory)["config/etc/shop.env"]

    before = again()
    assert again() is before
    assert again(Disclosure()).items["A"] == {"hidden": True}
    put(tmp_path, "etc/shop.env", "A=22\n")
    assert again().items["A"] == KEYED.of("A", "22")


@pytest.mark.parametrize("name", ["a.env", "a.ini", "a.toml", "a.yaml", "a.json"])
def test_line_ends_do_not_matter_to_a_keyed_file(tmp_path: Path, name: str) -> None:
    texts = {
        "env": "A='1\n2'\n",
        "ini": "[a]\nb=1\n 2\n",
        "toml": 'a="""1\n2"""\n',
        "yaml": "a: |\n  1\n  2\n",
        "json": '{\n"a": 1}',
    }
    text = texts[name.partition(".")[2]]
    put(tmp_path, name, text)
    before = sections(tmp_path, name)
    put(tmp_path, name, text.replace("\n", "\r\n"))
    assert sections(tmp_path, name) == before
