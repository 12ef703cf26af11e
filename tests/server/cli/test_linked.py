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


def environment(root: Path, version: str, lib: str, user: str = "import lib\n") -> str:
    """A venv with a library of this version, what uses it, and what does not."""
    site = venv(root, f"srv/{version}")
    distribution(site, "lib", version, {"lib.py": lib})
    distribution(site, "user", "1.0", {"user.py": user})
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


CLIENT = "class Client:\n  def __init__(self{}): ...\n"
LINKED = {
    "an argument": ("def get(url, old=1): ...\n", "def get(url): ...\n", "import lib\nlib.get(1, old=2)\n"),
    "an argument by another name": (
        "def get(url, old=1): ...\n", "def get(url): ...\n", "from lib import get as g\ndef f():\n  g(1, old=2)\n",
    ),
    "a constructor's argument": (
        CLIENT.format(", old=1"), CLIENT.format(""),
        "import lib\nclass Own(lib.Client):\n  def __init__(self):\n    super().__init__(old=1)\n",
    ),
    "an inherited constructor's argument": (
        CLIENT.format(", old=1") + "class Inner(Client): ...\n", CLIENT.format("") + "class Inner(Client): ...\n",
        "from lib import Inner\nInner(old=1)\n",
    ),
    "a method": (
        "class Client:\n  def old(self): ...\n", "class Client: ...\n", "import lib\nc = lib.Client()\nc.old()\n",
    ),
    "a variable": ("OLD = 1\n", "", "import lib as other\nother.OLD\n"),
    "what is imported": ("from json import dumps\n", "", "from lib import dumps\n"),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(LINKED))
def test_a_broken_link_of_a_distribution_is_found_from_two_environments(tmp_path: Path, what: str) -> None:
    before, after, user = LINKED[what]
    good, bad = environment(tmp_path, "1.0", before, user), environment(tmp_path, "2.0", after, user)
    comparison = compare(fingerprint(good, Options()), fingerprint(bad, Options()))
    one, other, _ = with_symbols(good, bad, comparison, Options())
    assert one is not None
    assert other is not None
    causes = {cause.suspect.item: cause for cause in explain(Situation(one, other, comparison)).causes}
    assert any(evidence.text.startswith("user 1.0 (user.py:") for evidence in causes["lib"].evidence)


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
