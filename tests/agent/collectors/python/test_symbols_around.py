"""Checks that the symbols around some distributions are those that lead to them, and as few as that."""

from pathlib import Path

import pytest

from envparity_agent.collectors.interface import Around, Options, Subject
from envparity_agent.collectors.python import symbols_around
from envparity_agent.collectors.python.environments import collect
from envparity_agent.fingerprint import Reason, Section, Status
from envparity_agent.root import Root
from tests.agent.trees import distribution, put, venv

SHOP = {
    "shop/__init__.py": "from .api import Client\n",
    "shop/api.py": "from .base import Base\nclass Client(Base): ...\ndef connect() -> Client: ...\n",
    "shop/base.py": "class Base:\n  def get(self): ...\n",
    "shop/unused.py": "x = 1\n",
}


def sections(root: Path, asked: Around) -> dict[str, Section]:
    """The sections of symbols around what is asked for, by the distribution."""
    with Root(str(root)) as opened:
        found = collect(Subject(opened, Options(symbols=asked)))
        return {one.path[8:].rpartition("-")[0]: one for one in found if one.kind == "symbols"}


def parsed(section: Section) -> set[str]:
    return {module for module, body in section.items.items() if body}


def test_only_what_leads_to_a_distribution_is_parsed(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app")
    distribution(site, "shop", "1.0", SHOP)
    distribution(
        site, "user", "1.0", {"user/__init__.py": "x = 1\n", "user/of.py": "import shop\nshop.Client().get()\n"}
    )
    distribution(site, "other", "1.0", {"other/__init__.py": "import json\n", "other/inner.py": "x = 1\n"})
    found = sections(tmp_path, Around(frozenset({"shop"})))
    assert parsed(found["user"]) == {"user.of"}
    assert parsed(found["shop"]) == {"shop", "shop.api", "shop.base"}
    assert set(found["shop"].items) == {"shop", "shop.api", "shop.base", "shop.unused"}
    assert (found["shop"].status, found["user"].status) == (Status.OK, Status.OK)
    assert (dict(found["other"].items), found["other"].reasons) == ({"other": {}}, (Reason.CAP,))


def test_what_uses_it_from_elsewhere_is_followed_as_well(tmp_path: Path) -> None:
    distribution(venv(tmp_path, "srv/app"), "shop", "1.0", SHOP)
    assert parsed(sections(tmp_path, Around(frozenset({"shop"})))["shop"]) == set()
    for use in ("1 from shop.api import connect", "2f shop.api.connect(0).get(0)", "3 class A(shop.api.Client)"):
        found = sections(tmp_path, Around(frozenset({"shop"}), frozenset({use})))
        assert parsed(found["shop"]) == {"shop", "shop.api", "shop.base"}


def test_a_name_that_leads_in_a_circle_ends(tmp_path: Path) -> None:
    files = {
        "ring/__init__.py": "from .a import x\n",
        "ring/a.py": "from .b import x\n",
        "ring/b.py": "from .a import *\nfrom . import a\n",
    }
    distribution(venv(tmp_path, "srv/app"), "ring", "1.0", files)
    found = sections(tmp_path, Around(frozenset({"ring"}), frozenset({"1 ring.x.y"})))
    assert parsed(found["ring"]) == {"ring", "ring.a", "ring.b"}


def test_tests_that_a_distribution_brings_along_use_nothing(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app")
    distribution(site, "shop", "1.0", SHOP)
    distribution(site, "user", "1.0", {"user/__init__.py": "", "user/tests/test_it.py": "import shop\n"})
    assert parsed(sections(tmp_path, Around(frozenset({"shop"})))["user"]) == set()


def test_of_those_who_import_it_only_such_are_parsed_that_need_what_the_sides_do_not_share(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app")
    distribution(site, "shop", "1.0", SHOP)
    distribution(site, "user", "1.0", {
        "user/needs.py": "import shop\nshop.connect()\n",
        "user/other.py": "import shop\nshop.connection = 1\n",
        "user/new.py": "import shop\n",
        "user/also.py": "import elsewhere\nelsewhere.connect()\n",
    })  # fmt: skip
    asked = Around(frozenset({"shop"}), words={"shop": frozenset({"connect"})}, changed=frozenset({"user.new"}))
    assert parsed(sections(tmp_path, asked)["user"]) == {"user.needs", "user.new"}


def test_of_a_user_only_those_uses_are_followed_that_may_break(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app")
    distribution(site, "shop", "1.0", {"shop/__init__.py": "", "shop/api.py": "def a(): ...\n", "shop/kept.py": ""})
    distribution(site, "other", "1.0", {"other.py": "def a(): ...\n"})
    uses = "from shop.api import a as b\nfrom shop.kept import c\nimport other\nother.a()\nb()\n"
    distribution(site, "user", "1.0", {"user.py": uses})
    found = sections(tmp_path, Around(frozenset({"shop"}), words={"shop": frozenset({"a"})}))
    assert parsed(found["user"]) == {"user"}
    assert parsed(found["shop"]) == {"shop", "shop.api"}
    assert parsed(found["other"]) == set()


def test_a_use_of_what_requires_it_is_followed_to_it(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app")
    distribution(site, "shop", "1.0", SHOP)
    between = distribution(site, "between", "1.0", {"between.py": "from shop import Client\n"})
    put(between, "METADATA", "Metadata-Version: 2.1\nName: between\nVersion: 1.0\nRequires-Dist: shop\n")
    distribution(site, "user", "1.0", {"user.py": "import shop, between\nbetween.Client().get()\n"})
    found = sections(tmp_path, Around(frozenset({"shop"}), words={"shop": frozenset({"get"})}))
    assert parsed(found["between"]) == {"between"}
    assert parsed(found["shop"]) == {"shop", "shop.api", "shop.base"}


def test_of_too_much_those_are_parsed_first_that_import_what_one_side_lost_and_then_the_rarest_attribute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = venv(tmp_path, "srv/app")
    distribution(site, "shop", "1.0", {"shop.py": ""})
    sources = {
        "user.very.deep": "from shop import bill",
        "user.rare": "import shop\nx.bill()",
        "user.closes": "import shop\ny.close()",
        "user.common": "import shop\nx.close()",
        "user.opens": "import shop\nz.close()",
    }
    files = {f"{module.replace('.', '/')}.py": f"{source:<30}" for module, source in sources.items()}
    distribution(site, "user", "1.0", files)
    asked = Around(frozenset({"shop"}), words={"shop": frozenset({"bill", "close"})})
    for count in range(1, len(sources) + 1):
        monkeypatch.setattr(symbols_around, "MAX_PARSED", 30 * count)
        assert parsed(sections(tmp_path, asked)["user"]) == set(list(sources)[:count])


def test_of_too_much_the_modules_nearest_to_the_surface_are_parsed_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = venv(tmp_path, "srv/app")
    distribution(site, "shop", "1.0", {"shop.py": "def get(): ...\n"})
    uses = "import shop\nshop.get()\n"
    distribution(site, "user", "1.0", {"user/deep/er.py": uses, "user/__init__.py": uses, "user/deep/__init__.py": ""})
    monkeypatch.setattr(symbols_around, "MAX_PARSED", len(uses) + len("def get(): ...\n"))
    found = sections(tmp_path, Around(frozenset({"shop"})))
    assert parsed(found["user"]) == {"user"}
    assert parsed(found["shop"]) == {"shop"}
    assert found["user"].reasons == (Reason.CAP,)
