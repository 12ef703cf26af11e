"""Tests of the build hook: what the pages load is what it fetches, at one version, and with its licence."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
DASHBOARD = ROOT / "server" / "envparity_server" / "dashboard"


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    """The hook, which is no part of the packages."""
    pytest.importorskip("hatchling", reason='hatchling is missing: pip install "envparity[dev]"')
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def packages(hook: ModuleType) -> set[str]:
    """The npm packages that files are taken from."""
    return {re.match(r"(@[^/]+/)?[^/]+", path)[0] for path in hook.ASSETS.values()}  # type: ignore[index]  # all match


def test_what_the_pages_load_is_what_the_hook_fetches(hook: ModuleType) -> None:
    templates = "".join(path.read_text("utf-8") for path in (DASHBOARD / "templates").glob("*.html"))
    loaded = set(re.findall(r'"/static/vendor/([^"]+)"', templates))
    assert loaded == {name for name in hook.ASSETS if not name.endswith(".txt")}


def test_every_package_is_named_locked_and_has_its_licence(hook: ModuleType) -> None:
    named = json.loads((ROOT / "package.json").read_text("utf-8"))["dependencies"]
    locked = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    assert packages(hook) == set(named) == set(hook.LICENCES.values())
    assert {name: locked[f"node_modules/{name}"]["version"] for name in named} == named
    assert all("integrity" in one for name, one in locked.items() if name)
    assert not [name for name, one in locked.items() if "resolved" in one], "the lock names a registry"


def test_a_licence_comes_with_its_notice(hook: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_bytes(b"the licence\n")
    assert hook._licence(tmp_path) == b"the licence\n"
    (tmp_path / "NOTICE").write_bytes(b"the notice\n")
    assert hook._licence(tmp_path) == b"the licence\n\nthe notice\n"


def test_a_package_without_a_licence_file_is_told_by_what_it_states(hook: ModuleType, tmp_path: Path) -> None:
    about = {"name": "a", "version": "1", "author": "ada", "homepage": "https://a.example", "license": "MIT"}
    (tmp_path / "package.json").write_text(json.dumps(about), "utf-8")
    assert hook._licence(tmp_path).startswith(b"a 1 by ada\nhttps://a.example\nLicence: MIT;")


def test_files_are_complete_until_one_is_gone_or_the_lock_is_another(hook: ModuleType, tmp_path: Path) -> None:
    (tmp_path / hook.LOCK).write_text("{}", "utf-8")
    assert not hook._is_complete(tmp_path)
    hook._write(tmp_path, dict.fromkeys((*hook.ASSETS, *hook.LICENCES), b"content"))
    assert hook._is_complete(tmp_path)
    (tmp_path / hook.LOCK).write_text('{"other": 1}', "utf-8")
    assert not hook._is_complete(tmp_path)
    hook._write(tmp_path, dict.fromkeys((*hook.ASSETS, *hook.LICENCES), b"content"))
    (tmp_path / hook.VENDOR / next(iter(hook.ASSETS))).unlink()
    assert not hook._is_complete(tmp_path)
