"""Checks the symbols of distributions: of every module what it defines and uses, parsed and never imported."""

from pathlib import Path

from envparity_agent.collectors.interface import Options, Subject
from envparity_agent.collectors.python.environments import collect
from envparity_agent.fingerprint import Reason, Section, Status
from envparity_agent.root import Root
from tests.agent.trees import distribution, put, venv


def sections(root: Path) -> list[Section]:
    """The sections of symbols of the environments below a root."""
    options = Options(symbols=True)
    with Root(str(root)) as opened:
        return [one for one in collect(Subject(opened, options)) if one.kind == "symbols"]


def test_every_module_of_a_distribution_is_an_item_and_none_is_imported(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    site = venv(tmp_path, "srv/app")
    files = {
        "shop/__init__.py": f"open({str(canary)!r}, 'w')\nfrom .api import Client\n",
        "shop/api.py": "class Client: ...\n",
        "shop/native.cpython-311-x86_64-linux-gnu.so": "ELF",
        "shop/fast.cpython-311-x86_64-linux-gnu.so": "ELF",
        "shop/fast.pyi": "def run(a: int = ...) -> None: ...\n",
        "shop/old.py": "print 'two'\n",
        "shop/not-a-module.py": "x = 1\n",
        "shop.libs/x.py": "x = 1\n",
        "single.py": "y = 1\n",
    }
    distribution(site, "shop", "1.0", files)
    [section] = sections(tmp_path)
    assert section.path.startswith("symbols/shop-")
    assert section.items == {
        "shop": {"names": ("Client < shop.api.Client",), "uses": ("2 from shop.api import Client",)},
        "shop.api": {"names": ("class Client()",)},
        "shop.fast": {"names": ("run(a=)",)},
        "shop.native": {},
        "shop.old": {},
        "single": {"names": ("y",)},
    }
    assert not canary.exists()


def test_equal_content_is_told_once_and_other_content_as_well(tmp_path: Path) -> None:
    for name, text in (("a", "one"), ("b", "one"), ("c", "other")):
        distribution(venv(tmp_path, f"srv/{name}"), "shop", "1.0", {"shop.py": f"{text} = 1\n"})
    assert {tuple(one.items["shop"]["names"] or ()) for one in sections(tmp_path)} == {("one",), ("other",)}  # type: ignore[arg-type]  # names are texts
    assert len(sections(tmp_path)) == 2


def test_a_source_that_is_too_large_is_not_parsed_and_that_is_said(tmp_path: Path) -> None:
    distribution(venv(tmp_path, "srv/app"), "shop", "1.0", {"shop.py": "x = 1\n" * 100_000, "small.py": "y = 1\n"})
    [section] = sections(tmp_path)
    assert (section.status, section.reasons) == (Status.PARTIAL, (Reason.CAP,))
    assert section.items == {"shop": {}, "small": {"names": ("y",)}}


def test_what_is_editable_or_lists_no_files_has_no_symbols(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app")
    put(distribution(site, "shop", "1.0"), "direct_url.json", '{"url": "file:///s", "dir_info": {"editable": true}}')
    put(site, "old-1.0.egg-info", "Name: old\nVersion: 1.0\n")
    assert sections(tmp_path) == []
