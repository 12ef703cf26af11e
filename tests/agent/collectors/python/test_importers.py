"""Checks that who imports a distribution is found in the bytes of the sources, with the names that it may use."""

from pathlib import Path

import pytest

from envparity_agent.collectors.interface import Options, Subject
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.python import importers as module
from envparity_agent.collectors.python.distributions import Distribution, read_entry
from envparity_agent.collectors.python.importers import Importer, importers
from envparity_agent.root import Root
from tests.agent.trees import distribution, put, venv


def found(root: Path, memory: Memory | None = None) -> dict[str, Importer]:
    """Who imports the distribution `shop`, by its module."""
    with Root(str(root)) as opened:
        subject = Subject(opened, Options(), memory=memory or Memory())
        site = next(root.glob("srv/app/lib/*/site-packages"))
        names = sorted(one.name for one in site.iterdir())
        there: list[Distribution] = list(read_entry(subject, str(site.relative_to(root)), names, set()))
        shop = [one for one in there if one.name == "shop"]
        return {one.module: one for one in importers(subject, there, shop)}


def user(root: Path, source: str) -> Importer | None:
    """What is found of a module with this source."""
    site = venv(root, "srv/app")
    distribution(site, "shop", "1.0", {"shop/__init__.py": "import shop.api\n", "shop/api.py": ""})
    distribution(site, "user", "1.0", {"user.py": source})
    return found(root).get("user")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import shop\n", {"shop"}),
        ("import json, shop.api as api\napi.connect(1).close()\n", {"shop", "shop.api", "api", "connect", "close"}),
        ("from shop.api import (\n    connect,\n    Client as C,\n)\n", {"shop", "shop.api", "connect", "Client", "C"}),
        ("from shop import a, \\\n    b\n", {"shop", "a", "b"}),
        ("def late():\n    from shop import x\n", {"shop", "x"}),
        ("from shop import *\nconnect()\n", {"shop", "connect"}),
        ("import shop\nfrom other.place import y\n", {"shop"}),
    ],
)
def test_an_importer_is_told_with_each_name_that_it_may_use(tmp_path: Path, source: str, words: set[str]) -> None:
    one = user(tmp_path, source)
    assert one is not None
    assert one.tops == {"shop"}
    assert words <= one.words
    assert not {"place", "y"} & one.words


@pytest.mark.parametrize("source", ["import shopping\n", "from .shop import x\n", "important = shop = 1\n", ""])
def test_what_does_not_import_it_is_no_importer(tmp_path: Path, source: str) -> None:
    assert user(tmp_path, source) is None


def test_the_package_itself_is_no_importer(tmp_path: Path) -> None:
    user(tmp_path, "")
    assert found(tmp_path) == {}


def test_of_too_many_sources_those_come_first_that_require_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = venv(tmp_path, "srv/app")
    distribution(site, "shop", "1.0", {"shop.py": ""})
    distribution(site, "alone", "1.0", {"alone.py": "import shop\n"})
    dist_info = distribution(site, "user", "1.0", {"user.py": "import shop\n"})
    put(dist_info, "METADATA", "Metadata-Version: 2.1\nName: user\nVersion: 1.0\nRequires-Dist: shop>=1\n")
    monkeypatch.setattr(module, "MAX_READ", 1)
    assert set(found(tmp_path)) == {"user"}


def test_what_both_sides_have_is_looked_at_once(tmp_path: Path) -> None:
    memory = Memory(keeps=True)
    user(tmp_path, "import shop\n")
    first = found(tmp_path, memory)
    put(tmp_path, "srv/app/lib/python3.11/site-packages/user.py", "")
    assert found(tmp_path, memory) == first
