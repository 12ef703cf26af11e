"""Checks that a library which was patched in place is found, and that nothing outside the environment is read."""

import os
from hashlib import sha256
from pathlib import Path

import pytest

from envparity_agent.collectors.interface import Options, Subject
from envparity_agent.collectors.python.environments import collect
from envparity_agent.fingerprint import Attributes, Reason, Section, Status
from envparity_agent.root import Root
from tests.agent.trees import distribution, put, record, venv


def verified(root: Path, subject: Subject | None = None) -> Section:
    with Root(str(root)) as opened:
        subject = subject or Subject(opened, Options(verify=True), only="app")
        return next(one for one in collect(subject) if one.path == "verify/app")


def shop(root: Path) -> Path:
    site = venv(root, "app")
    distribution(site, "shop", "1.0", {"shop/a.py": "one = 1\n", "shop/b.py": "two = 2\n"})
    return site


def item(root: Path) -> Attributes:
    section = verified(root)
    assert section.status is Status.OK
    assert set(section.items) <= {"shop"}
    return section.items.get("shop", {})


def test_files_that_are_what_record_says_are_no_item(tmp_path: Path) -> None:
    shop(tmp_path)
    assert item(tmp_path) == {}
    assert verified(tmp_path).observed == {"files": 4}


def test_it_is_the_operator_who_asks_for_it(tmp_path: Path) -> None:
    shop(tmp_path)
    with Root(str(tmp_path)) as root:
        assert [one.path for one in collect(Subject(root, only="app"))] == ["python/app"]


@pytest.mark.parametrize("patched", ["one = 2\n", "one = 1\nand more\n"], ids=["same size", "other size"])
def test_a_file_that_was_edited_in_place_is_found(tmp_path: Path, patched: str) -> None:
    put(shop(tmp_path), "shop/a.py", patched)
    first = item(tmp_path)
    assert first["modified"] == ("shop/a.py",)
    assert "missing" not in first
    put(tmp_path, "app/lib/python3.11/site-packages/shop/a.py", patched.replace("=", "+"))
    assert item(tmp_path)["content"] != first["content"]


def test_what_installers_write_anew_and_what_does_not_import_is_not_looked_at(tmp_path: Path) -> None:
    site = shop(tmp_path)
    put(site, "shop-1.0.dist-info/INSTALLER", "conda")
    stale = distribution(site, "shop", "0.9", {"shop/a.py": "zero = 0\n", "shop/gone.py": ""})
    put(site, "shop/a.py", "one = 1\n")
    (site / "shop/gone.py").unlink()
    assert stale.is_dir()
    assert item(tmp_path) == {}


def test_a_file_that_is_gone_is_missing(tmp_path: Path) -> None:
    (shop(tmp_path) / "shop/b.py").unlink()
    assert item(tmp_path) == {"missing": ("shop/b.py",)}


def test_what_the_interpreter_makes_by_itself_is_not_looked_at(tmp_path: Path) -> None:
    site = shop(tmp_path)
    listed = {"shop/__pycache__/a.cpython-311.pyc": b"x", "shop/old.pyc": b"y"}
    put(site, "shop-1.0.dist-info/RECORD", record(listed, "shop-1.0.dist-info/RECORD"))
    assert item(tmp_path) == {}


def test_a_script_is_not_looked_at_as_each_prefix_has_its_own(tmp_path: Path) -> None:
    site = shop(tmp_path)
    put(site, "shop-1.0.dist-info/RECORD", record({"../../../bin/shop": b"#!"}, "shop-1.0.dist-info/RECORD"))
    put(tmp_path, "app/bin/shop", "patched")
    assert item(tmp_path) == {}


@pytest.mark.parametrize(
    "path", ["../../../../etc/shadow", "/etc/shadow", "../../../../../../etc/shadow", "/app/../etc/shadow"]
)
def test_nothing_outside_the_prefix_is_read(tmp_path: Path, path: str) -> None:
    site = shop(tmp_path)
    put(site, "shop-1.0.dist-info/RECORD", record({path: b"guess"}, "shop-1.0.dist-info/RECORD"))
    put(tmp_path, "etc/shadow", "secret")
    assert item(tmp_path) == {}
    assert verified(tmp_path).observed == {"files": 0}


def test_of_a_link_out_of_the_prefix_no_content_is_told(tmp_path: Path) -> None:
    """Else whoever can write a RECORD could have a hash of any file of the host."""
    site = shop(tmp_path)
    (site / "shop/a.py").unlink()
    (site / "shop/a.py").symlink_to("/etc/shadow")
    put(tmp_path, "etc/shadow", "secret")
    first = item(tmp_path)
    put(tmp_path, "etc/shadow", "other secret")
    assert first["modified"] == ("shop/a.py",)
    assert item(tmp_path) == first


def test_a_link_to_the_very_content_is_no_deviation(tmp_path: Path) -> None:
    """uv can link the files of an environment to its cache."""
    site = shop(tmp_path)
    put(tmp_path, "cache/a.py", (site / "shop/a.py").read_bytes())
    (site / "shop/a.py").unlink()
    (site / "shop/a.py").symlink_to("/cache/a.py")
    assert item(tmp_path) == {}


def test_other_hashes_are_taken_from_a_list_and_no_others(tmp_path: Path) -> None:
    site = shop(tmp_path)
    put(site, "shop-1.0.dist-info/RECORD", "shop/a.py,sha512=x,8\nshop/b.py,shake_128=x,8\nshop/c.py,md5=x,8\n")
    assert item(tmp_path)["modified"] == ("shop/a.py",)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    site = shop(tmp_path)
    (site / "shop/a.py").unlink()
    os.mkfifo(site / "shop/a.py")
    section = verified(tmp_path)
    assert (section.status, section.reasons) == (Status.PARTIAL, (Reason.NOT_REGULAR,))
    put(site, "shop-1.0.dist-info/RECORD", f"shop/{'x' * 200_000}.py,sha256=a,1\n")
    assert verified(tmp_path).reasons == (Reason.INVALID,)


def test_more_than_a_cap_is_not_hashed_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop(tmp_path)
    monkeypatch.setattr("envparity_agent.collectors.python.verify.MAX_BYTES", 8)
    section = verified(tmp_path)
    assert (section.status, section.reasons) == (Status.PARTIAL, (Reason.CAP,))


def test_what_did_not_change_is_not_hashed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = shop(tmp_path)
    with Root(str(tmp_path)) as root:
        subject = Subject(root, Options(verify=True), only="app")
        first = verified(tmp_path, subject)
        subject.memory.begin()
        monkeypatch.setattr("envparity_agent.collectors.python.verify.MAX_FILE", 0)  # hashing anything would be told
        assert verified(tmp_path, subject) == first
        put(site, "shop/a.py", "one = 3\n")
        subject.memory.begin()
        assert verified(tmp_path, subject).reasons == (Reason.CAP,)


def test_the_content_of_an_item_is_that_of_its_modified_files(tmp_path: Path) -> None:
    site = shop(tmp_path)
    put(site, "shop-1.0.dist-info/RECORD", "shop/a.py,sha256=x,8\n")
    put(site, "shop/a.py", "")
    empty = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    assert item(tmp_path)["content"] == f"sha256:{sha256(f'shop/a.py,sha256={empty}'.encode()).hexdigest()}"
