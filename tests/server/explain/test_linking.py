"""Checks that a link which holds on one side and breaks on the other one is found, and that nothing else is."""

import pytest

from envparity_agent.fingerprint import Status
from envparity_server.explain.linking import linking
from envparity_server.explain.model import Evidence
from tests.server.explain.linked import Sources, side, situation

GOOD = "def get(url, timeout=1): ...\nclass Client:\n  def send(self, text): ...\nOLD = 1\n"


def found(
    good: str, bad: str, user: str, application: str | None = None, also: Sources | None = None
) -> list[Evidence]:
    """What is said against the distribution `lib`, whose module changed, and against whoever else."""
    users = {"user": ("1.0", {"user/__init__.py": user, **(also or {})})}
    sides = [side({"lib": (version, {"lib.py": text}), **users}) for version, text in (("1.0", good), ("2.0", bad))]
    return list(linking(situation(sides[0], sides[1], {"app.py": application} if application else None)))


@pytest.mark.parametrize(
    ("good", "bad", "user", "says"),
    [
        (GOOD, "", "from lib import get\n", "imports get from lib; lib has no get in lib 2.0, unlike in 1.0"),
        (GOOD, "", "import lib\nlib.OLD\n", "uses lib.OLD; lib has no OLD"),
        (GOOD, "def get(url): ...", "import lib\nlib.get(1, timeout=2)\n", "takes no argument timeout"),
        (GOOD, "def get(): ...", "import lib\nlib.get(1)\n", "takes at most 0 arguments by position"),
        (GOOD, "def get(url, a, b=1): ...", "import lib\nlib.get(1)\n", "requires an argument a"),
        (GOOD, "class Client: ...", "import lib\nlib.Client().send(1)\n", "Client of lib has no send"),
        (GOOD, "class Client: ...", "import lib\nclass A(lib.Client):\n  def f(self): self.send(1)\n", "has no send"),
        (GOOD, "", "import lib\nclass A(lib.Client): ...\n", "derives A from lib.Client"),
        (GOOD, "raise ImportError('moved')", "import lib\n", "lib.py raises when it is imported"),
        (GOOD, "import elsewhere", "import lib\n", "lib.py:1 imports elsewhere; there is no module elsewhere"),
        ("def f() -> Client: ...\n" + GOOD, "def f() -> Client: ...\nclass Client: ...",
         "import lib\nlib.f().send(1)\n", "Client of lib has no send"),
        ("def f(): return b''", "def f() -> str: ...", "import lib\nlib.f().decode()\n", "which has no decode"),
        ("_OLD = {'x': 1}\ndef __getattr__(name):\n  return _OLD[name]\n",
         "_OLD = {'x'}\ndef __getattr__(name):\n  if name in _OLD: raise AttributeError\n  return 1\n",
         "import lib\nlib.x\n", "lib has no x"),
        ("class B:\n  def f(self): ...\nclass A(B): ...", "class B: ...\nclass A(B): ...",
         "from lib import A\nA().f()\n", "A of lib has no f"),
        ("class A:\n  def __init__(self, x): ...", "class A:\n  def __init__(self): ...",
         "from lib import A\nA(x=1)\n", "A of lib takes no argument x"),
    ],
)  # fmt: skip
def test_what_is_there_on_the_good_side_only_is_evidence(good: str, bad: str, user: str, says: str) -> None:
    [one] = found(good, bad, user)
    assert one.suspect == ("python/app", "lib")
    assert says in one.text
    assert one.text.startswith("user 1.0 (user.py:")
    assert one.points >= 4


@pytest.mark.parametrize(
    ("good", "bad", "user"),
    [
        (GOOD, "from json import *\n", "import lib\nlib.get(1)\n"),  # what it has is not known
        (GOOD, "def __getattr__(name): ...\n", "import lib\nlib.get(1)\n"),
        (GOOD, "globals()['get'] = f\n", "import lib\nlib.get(1)\n"),
        (GOOD, "@changed\ndef get(): ...\n", "import lib\nlib.get(1)\n"),  # a decorator may take what it does not
        (GOOD, "def get(*args, **more): ...\n", "import lib\nlib.get(1, timeout=2)\n"),
        (GOOD, "class Client(unknown.Base): ...\n", "import lib\nlib.Client().send(1)\n"),
        (GOOD, "class Client:\n  def __getattr__(self, name): ...\n", "import lib\nlib.Client().send(1)\n"),
        (GOOD, "if x:\n  def get(): ...\nelse:\n  get = 1\n", "import lib\nlib.get(1)\n"),
        (GOOD, "from json import get\n", "import lib\nlib.get(1)\n"),
        ("", "", "import lib\nlib.get(1)\n"),  # missing on both sides: nobody needs it
        (GOOD, "", "if TYPE_CHECKING:\n  from lib import get\n"),
        (GOOD, "", "import json\njson.gone\n"),
    ],
)
def test_what_cannot_be_known_or_nobody_needs_is_no_evidence(good: str, bad: str, user: str) -> None:
    assert found(good, bad, user) == []


def test_a_plain_use_says_more_than_a_lazy_one_and_that_more_than_a_guarded_one() -> None:
    plain, lazy, guarded = (
        found(GOOD, "", text)[0].points
        for text in (
            "from lib import get\n",
            "def f():\n  from lib import get\n",
            "try:\n  from lib import get\nexcept ImportError: ...\n",
        )
    )
    assert plain > lazy > guarded > 0


def test_the_applications_own_use_says_the_most_and_what_it_never_imports_the_least() -> None:
    use = "from lib import get\n"
    alone = found(GOOD, "", use)[0].points
    own = found(GOOD, "", "", use)[0]
    unreached = found(GOOD, "", use, "import json\n")[0].points
    assert own.points > alone > unreached
    assert own.text.startswith("app.py:1 imports get from lib")


def test_what_breaks_far_below_an_import_of_the_application_is_told_with_the_line() -> None:
    also = {"user/inner.py": "from lib import get\n"}
    evidence = found(GOOD, "", "from . import inner\n", "import user\n", also)
    assert evidence[0].text == (
        "app.py:1 imports user; user/inner.py:1 imports get from lib; lib has no get in lib 2.0, unlike in 1.0"
    )


def test_a_use_that_is_new_on_the_bad_side_is_first_held_against_who_uses() -> None:
    lib = ("1.0", {"lib.py": "OLD = 1\n"}), ("1.1", {"lib.py": "OLD = 2\n"})
    user = ("1.0", {"user.py": "import lib\n"}), ("2.0", {"user.py": "from lib import NEW\n"})
    good, bad = (side({"lib": lib[number], "user": user[number]}) for number in (0, 1))
    first, second = sorted(linking(situation(good, bad)), key=lambda one: -one.points)
    assert (first.suspect.item, second.suspect.item) == ("user", "lib")


def test_what_a_newer_user_falls_back_to_and_neither_side_has_is_no_evidence() -> None:
    lib = ("1.0", {"lib.py": "OLD = 1\n"}), ("1.1", {"lib.py": "OLD = 2\n"})
    fallback = "try:\n  from lib import OLD\nexcept ImportError:\n  from lib import OLDER as OLD\n"
    user = ("1.0", {"user.py": "import lib\n"}), ("2.0", {"user.py": fallback})
    good, bad = (side({"lib": lib[number], "user": user[number]}) for number in (0, 1))
    assert list(linking(situation(good, bad))) == []


def test_a_user_whose_uses_were_not_read_on_the_good_side_is_not_taken_for_new() -> None:
    lib = ("1.0", {"lib.py": "OLD = 1\n"}), ("1.1", {"lib.py": ""})
    user = ("1.0", {"user.py": ""}), ("1.0", {"user.py": "from lib import NEW\nfrom lib import OLD\n"})
    good, bad = (side({"lib": lib[number], "user": user[number]}) for number in (0, 1))
    first, *_ = sorted(linking(situation(good, bad)), key=lambda one: -one.points)
    assert first.suspect.item == "lib"
    assert "imports OLD from lib" in first.text
    assert "more such use" not in first.text


def test_what_neither_side_has_is_not_told_as_lost() -> None:
    lib = ("1.0", {"lib.py": "OLD = 1\n"}), ("1.1", {"lib.py": "OLD = 2\n"})
    user = ("1.0", {"user.py": "import lib\n"}), ("2.0", {"user.py": "from lib import NEW\n"})
    good, bad = (side({"lib": lib[number], "user": user[number]}) for number in (0, 1))
    assert {one.text for one in linking(situation(good, bad))} == {
        "user 2.0 (user.py:1) imports NEW from lib; lib has no NEW in lib 1.1"
    }


def test_a_distribution_that_is_gone_is_blamed_for_its_modules() -> None:
    user = {"user": ("1.0", {"user.py": "import lib\n"})}
    good, bad = side({"lib": ("1.0", {"lib.py": GOOD}), **user}), side(user)
    [one] = linking(situation(good, bad))
    assert one.suspect.item == "lib"
    assert one.text == "user 1.0 (user.py:1) imports lib; there is no module lib: lib 1.0 is not installed"


def test_of_a_distribution_that_is_told_in_part_no_module_is_missing() -> None:
    user = ("1.0", {"user.py": "import lib.inner\n"})
    good = side({"lib": ("1.0", {"lib/__init__.py": "", "lib/inner.py": ""}), "user": user})
    bad = side({"lib": ("2.0", {"lib/__init__.py": ""}), "user": user}, Status.PARTIAL)
    assert list(linking(situation(good, bad))) == []


def test_the_names_of_a_compiled_module_are_not_known() -> None:
    user = ("1.0", {"user.py": "from lib import get\n"})
    good = side({"lib": ("1.0", {"lib.py": GOOD}), "user": user})
    bad = side({"lib": ("2.0", {"lib.cpython-311-x86_64-linux-gnu.so": ""}), "user": user})
    assert list(linking(situation(good, bad))) == []


def test_many_broken_links_are_one_sentence_for_each_user() -> None:
    [one] = found("a = b = c = d = 1\n", "", "from lib import a, b, c, d\n")
    assert one.text.endswith(", and 3 more such uses")
    assert one.points <= 8
