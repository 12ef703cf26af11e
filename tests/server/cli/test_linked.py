"""Checks the second look at two targets: symbols of what differs and of what uses it, and of the application."""

from pathlib import Path

import pytest

from envparity_agent.collectors.interface import Options
from envparity_agent.errors import CannotTell, UsageError
from envparity_agent.targets import fingerprint
from envparity_server.cli.linked import source, with_symbols
from envparity_server.compare.differences import compare
from envparity_server.explain.causes import explain
from envparity_server.explain.model import Situation
from tests.agent.trees import distribution, put, venv


def environment(root: Path, version: str, lib: str) -> str:
    """A venv with a library of this version, what uses it, and what does not."""
    site = venv(root, f"srv/{version}")
    distribution(site, "lib", version, {"lib.py": lib})
    distribution(site, "user", "1.0", {"user.py": "import lib\n"})
    distribution(site, "other", version, {"other.py": "x = 1\n"})
    return str(root / "srv" / version)


def test_a_broken_link_of_the_application_is_found_from_two_environments_and_its_source(tmp_path: Path) -> None:
    good, bad = environment(tmp_path, "1.0", "def get(): ...\n"), environment(tmp_path, "2.0", "")
    put(tmp_path, "src/app.py", "import user, lib\nlib.get()\n")
    comparison = compare(fingerprint(good, Options()), fingerprint(bad, Options()))
    one, other, application = with_symbols(good, bad, comparison, Options(), str(tmp_path / "src"))
    assert one is not None
    assert other is not None
    explanation = explain(Situation(one, other, comparison, application=application))
    assert explanation.causes[0].suspect.item == "lib"
    assert (
        explanation.causes[0].evidence[0].text == "app.py:2 calls lib.get(0); lib has no get in lib 2.0, unlike in 1.0"
    )


def test_a_file_is_not_looked_at_again(tmp_path: Path) -> None:
    listed = str(put(tmp_path, "requirements.txt", "lib==1.0\n"))
    bad = environment(tmp_path, "2.0", "")
    comparison = compare(fingerprint(listed, Options()), fingerprint(bad, Options()))
    one, other, application = with_symbols(listed, bad, comparison, Options())
    assert one is None
    assert application is None
    assert other is not None
    assert other.target.name == bad


def test_an_environment_below_the_source_is_not_the_application(tmp_path: Path) -> None:
    put(tmp_path, "shop/app.py", "import a\n")
    put(tmp_path, ".hidden/b.py", "import b\n")
    put(tmp_path, "node_modules/c.py", "import c\n")
    put(tmp_path, "env/pyvenv.cfg", "home = /usr/bin\n")
    put(tmp_path, "env/lib/python3.11/site-packages/d.py", "import d\n")
    section = source(str(tmp_path), Options())
    assert set(section.items) == {"shop/app.py"}
    assert section.items["shop/app.py"]["uses"] == ("1 import a",)


def test_a_source_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no directory"):
        source(str(tmp_path / "none"), Options())
    with pytest.raises(CannotTell, match="holds no Python source"):
        source(str(tmp_path), Options())
