"""Tests of what a traceback or a log says against what differs."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.fingerprint import Attributes, Fingerprint, Section
from envparity_server.compare.differences import compare
from envparity_server.explain.access import of_access
from envparity_server.explain.failures import parse_failure
from envparity_server.explain.likeness import kin, likeness
from envparity_server.explain.members import takes
from envparity_server.explain.model import Evidence, Situation, Suspect
from envparity_server.explain.native import of_native
from envparity_server.explain.settings import of_settings
from envparity_server.explain.tracebacks import of_traceback
from tests.server.making import host, section

SITE = "/srv/app/.venv/lib/python3.11/site-packages"
NOISE = dict.fromkeys(("attrs", "pytz", "decorator", "toml", "six"), ("1.0", "2.0"))


def lists(moved: Mapping[str, tuple[str, str]]) -> tuple[Fingerprint, Fingerprint]:
    """Two bare lists of names and versions; an empty version stands for none."""
    good, bad = (
        section(
            "python/list",
            {name: {"version": pair[side]} for name, pair in {**NOISE, **moved}.items() if pair[side]},
            kind="declared",
            schema=2,
        )
        for side in (0, 1)
    )
    return host(good, kind="declared"), host(bad, kind="declared")


def symbols(name: str, content: str, **modules: tuple[str, ...]) -> Section:
    """The names of a distribution's modules, a dot of a module written as two underscores."""
    items: dict[str, Attributes] = {module.replace("__", "."): {"names": told} for module, told in modules.items()}
    return section(f"symbols/{name}-{content}", items, kind="symbols")


def evidence(good: Fingerprint, bad: Fingerprint, text: str, application: Section | None = None) -> list[Evidence]:
    """What all witnesses of a text say, the weightiest first."""
    situation = Situation(good, bad, compare(good, bad), parse_failure(text), application)
    witnesses = (of_traceback, of_native, of_settings, of_access)
    return sorted((one for witness in witnesses for one in witness(situation)), key=lambda one: -one.points)


def ranked(good: Fingerprint, bad: Fingerprint, text: str) -> list[str]:
    """The items that there is evidence against, by the sum of their points."""
    points: dict[Suspect, float] = {}
    for one in evidence(good, bad, text):
        points[one.suspect] = points.get(one.suspect, 0.0) + one.points
    return [suspect.item for suspect in sorted(points, key=lambda one: (-points[one], one))]


def traceback(error: str, *frames: tuple[str, str]) -> str:
    """A traceback of an application's line and of frames: a path below the site directory, and its source."""
    lines = [f'  File "{SITE}/{path}", line 7, in go\n    {source}\n' for path, source in frames]
    return f'Traceback (most recent call last):\n  File "<string>", line 1, in <module>\n{"".join(lines)}{error}\n'


CASES = {
    "a name that left a module": (
        {"shapes": ("1.0", "2.0")},
        traceback(f"ImportError: cannot import name 'Oval' from 'shapes.round' ({SITE}/shapes/round.py)",
                  ("drawing/__init__.py", "from shapes.round import Oval")),
        "shapes",
    ),
    "a module that went with its distribution": (
        {"python-shapes": ("1.0", "")}, traceback("ModuleNotFoundError: No module named 'shapes'"), "python-shapes",
    ),
    "a part of a module": (
        {"pyshapes": ("1.0", "1.1")}, traceback("ModuleNotFoundError: No module named 'shapes.compat'"), "pyshapes",
    ),
    "an attribute of a module": (
        {"shapes": ("1.0", "1.1")}, traceback("AttributeError: module 'shapes' has no attribute 'oval'"), "shapes",
    ),
    "a module that nothing is named like, and a far step": (
        {"builder": ("40.1", "61.0")}, traceback("ModuleNotFoundError: No module named 'zz_resources'"), "builder",
    ),
    "a binary interface": (
        {"shapes": ("1.9", "2.0")},
        traceback("ValueError: shapes.dtype size changed, may indicate binary incompatibility. Expected 96, got 88",
                  ("frames/_lib.py", "from frames._c import x")),
        "shapes",
    ),
    "a version that the error tells": (
        {"shapes": ("1.9.1", "2.0.2"), "other": ("1.0", "1.1")},
        traceback("ImportError: A module that was compiled using Shapes 1.x cannot be run in Shapes 2.0.2"),
        "shapes",
    ),
    "a requirement that is not met": (
        {"shapes": ("1.26", "2.0")},
        traceback("pkg_resources.VersionConflict: (shapes 2.0 (/x), Requirement.parse('shapes<1.27'))"),
        "shapes",
    ),
    "the raising frame": (
        {"shapes": ("1.0", "2.0"), "drawing": ("1.0", "2.0")},
        traceback("ValueError: too round", ("drawing/pen.py", "go(pen)"), ("shapes/round.py", "raise ValueError(x)")),
        "shapes",
    ),
    "what the raising line uses": (
        {"shapes": ("1.0", "2.0")},
        traceback("ValueError: too round", ("drawing/pen.py", "x = _shapes.oval(self)")),
        "shapes",
    ),
    "a class that is named after its distribution": (
        {"shapes": ("1.0", "1.1")},
        traceback("TypeError: ShapesTool.__init__() got an unexpected keyword argument 'x'"),
        "shapes",
    ),
    "an extension's own distribution": (
        {"shapes": ("1.0", "1.1")}, traceback("ValueError: no", ("drawing_shapes/x.py", "go()")), "shapes",
    ),
    "a pickle": (
        {"shapes": ("1.0", "1.1")},
        traceback(f"AttributeError: Can't get attribute 'Oval' on <module 'shapes.round' from '{SITE}/x.py'>"),
        "shapes",
    ),
    "a line of pip": (
        {"shapes": ("1.0", "2.1")},
        "ERROR: drawing 1.0 requires shapes<2, but you have shapes 2.1 which is incompatible.",
        "shapes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_from_two_lists_and_a_traceback_the_culprit_is_first(case: str) -> None:
    moved, text, culprit = CASES[case]
    same = {"drawing-shapes": ("1.0", "1.0"), "frames": ("1.0", "1.0")}
    assert ranked(*lists({**same, **moved}), text)[0] == culprit


def test_where_nothing_points_at_a_suspect_nothing_is_said() -> None:
    for error in ("AttributeError: 'str' object has no attribute 'decode'", "ValueError: wrong", "KeyError: 'x'"):
        assert evidence(*lists({"shapes": ("1.0", "2.0")}), traceback(error)) == []
    assert evidence(*lists({"shapes": ("1.0", "2.0")}), "") == []


def test_a_module_that_is_the_same_on_both_sides_makes_no_other_one_suspect() -> None:
    text = traceback("ModuleNotFoundError: No module named 'shapes.oval'")
    assert evidence(*lists({"shapes": ("1.0", "1.0"), "shapes-extra": ("1", "2")}), text) == []


def test_the_root_of_a_chain_counts_and_an_earlier_traceback_counts_less() -> None:
    root = traceback(f"ImportError: cannot import name 'Oval' from 'shapes' ({SITE}/shapes/__init__.py)")
    link = "The above exception was the direct cause of the following exception:"
    chain = f"{root}\n{link}\n\n{traceback('RuntimeError: no')}"
    both = lists({"shapes": ("1.0", "2.0")})
    alone, chained, earlier = (
        evidence(*both, text)[0].points for text in (root, chain, root + traceback("ValueError"))
    )
    assert alone > chained > earlier > 0


def test_symbols_prove_who_lost_a_name_and_who_kept_it() -> None:
    def sides(good: Section, bad: Section) -> tuple[Fingerprint, Fingerprint]:
        one, other = lists({"httpy": ("1.0", "1.1"), "setup-kit": ("1", "2")})
        return (
            host(*one.sections.values(), good, symbols("setup-kit", "c", pkg_things=("get()",)), kind="declared"),
            host(*other.sections.values(), bad, symbols("setup-kit", "d", setup_kit=("run()",)), kind="declared"),
        )

    both = sides(
        symbols(
            "httpy", "a", httpy=("Client()", "Client.__init__(self, *, app=, url=)", "Client.send(self)", "get(url)")
        ),
        symbols("httpy", "b", httpy=("Client()", "Client.__init__(self, *, url=)", "get(url, time)")),
    )
    for error in (
        "TypeError: Client.__init__() got an unexpected keyword argument 'app'",
        "AttributeError: 'Client' object has no attribute 'send'",
        "TypeError: get() missing 1 required positional argument: 'time'",
    ):
        found = evidence(*both, traceback(error))
        assert found[0].suspect.item == "httpy"
        assert found[0].points >= 12
        assert "httpy 1.1" in found[0].text
    old = traceback("TypeError: __init__() got an unexpected keyword argument 'app'", ("x/y.py", "c = Client(app=1)"))
    assert evidence(*both, old)[0].points >= 12
    lost = evidence(*both, traceback("ModuleNotFoundError: No module named 'pkg_things'"))[0]
    assert (lost.suspect.item, lost.points) == ("setup-kit", 14.0)
    kept = evidence(*both, traceback("TypeError: Client.__init__() got an unexpected keyword argument 'url'"))
    assert kept[0].points < 12


def test_what_the_raising_distribution_requires_is_near_at_hand() -> None:
    def side(version: str) -> Fingerprint:
        web: Attributes = {"version": "1.0", "requires": ('httpy>=0.2; extra == "full"',)}
        noise: dict[str, Attributes] = {name: {"version": version} for name in NOISE}
        items = {"@python": {"version": "3.11.7"}, "web": web, "httpy": {"version": version}, **noise}
        return host(section("python/srv/app", items, kind="python", schema=2), kind="python")

    text = traceback(
        "TypeError: Client.__init__() got an unexpected keyword argument 'app'", ("web/t.py", "super().f(")
    )
    assert ranked(side("1"), side("2"), text) == ["httpy"]


def test_where_an_error_is_raised_says_less_the_less_the_version_moved() -> None:
    text = traceback("ValueError: no", ("shapes/round.py", "raise"))
    told = [evidence(*lists({"shapes": ("1.0.0", to)}), text)[0].points for to in ("1.0.1", "1.1.0", "2.0.0")]
    assert told == sorted(set(told))


def test_an_alias_is_known_by_the_source_of_the_application() -> None:
    text = (
        'Traceback (most recent call last):\n  File "/srv/app/main.py", line 2, in <module>\n    sh.oval(1)\nValueError'
    )
    application = section("application", {"main": {"names": ("sh < shapes",)}}, kind="symbols")
    both = lists({"shapes": ("1.0", "2.0")})
    assert evidence(*both, text) == []
    assert [one.suspect.item for one in evidence(*both, text, application)] == ["shapes"]


def surroundings(
    good: Mapping[str, Mapping[str, Attributes]], bad: Mapping[str, Mapping[str, Attributes]]
) -> tuple[Fingerprint, Fingerprint]:
    """Two hosts with sections by `KIND PATH`."""
    sides = []
    for told in (good, bad):
        pairs = (key.split(" ", 1) for key in told)
        sides.append(host(*(section(path, told[f"{kind} {path}"], kind=kind) for kind, path in pairs)))
    return sides[0], sides[1]


PYTHON: Mapping[str, Attributes] = {"@python": {"version": "3.11.7", "abi": "3.11"}}
NEWER: Mapping[str, Attributes] = {"@python": {"version": "3.12.1", "abi": "3.12"}}
CONFIG = "configuration container/shop.web/config"
SAME: Mapping[str, Attributes] = {"workdir": {"value": "/app"}}
KEYERROR = '  File "<frozen os>", line 679, in __getitem__\nKeyError: '
HEAD = 'Traceback (most recent call last):\n  File "/app/main.py", line 1, in <module>\n    x\n'
OTHERS = [
    ("libraries os/libraries", {"libpq.so.5": {"build_id": "a"}}, {"libpq.so.5": {"missing": True}},
     "ImportError: libpq.so.5: cannot open shared object file: No such file or directory", "libpq.so.5"),
    ("os-packages os/packages", {"libgl1": {"version": "1"}, "zlib1g": {"version": "1"}}, {"zlib1g": {"version": "2"}},
     "ImportError: libGL.so.1: cannot open shared object file: No such file or directory", "libgl1"),
    ("os-packages os/packages", {"libglib2.0-0t64": {"version": "1"}}, {},
     "libglib-2.0.so.0: cannot open shared object file", "libglib2.0-0t64"),
    ("os os", {"libc": {"version": "2.39"}}, {"libc": {"version": "2.36"}},
     "x: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by x)", "libc"),
    ("os os", {"architecture": {"machine": "x86_64"}}, {"architecture": {"machine": "aarch64"}},
     "exec /usr/bin/app: exec format error", "architecture"),
    ("os-packages os/packages", {"ffmpeg": {"version": "1"}}, {}, "sh: 1: ffmpeg: not found", "ffmpeg"),
    ("os-packages os/packages", {"ffmpeg": {"version": "1"}}, {},
     f"{HEAD}FileNotFoundError: [Errno 2] No such file or directory: 'ffmpeg'", "ffmpeg"),
    (CONFIG, {**SAME, "env:DATABASE_URL": {"hmac": "a", "key": "k"}},
     SAME, f"{HEAD}{KEYERROR}'DATABASE_URL'", "env:DATABASE_URL"),
    (CONFIG, {**SAME, "env:API_KEY": {"hmac": "a", "key": "k"}}, SAME,
     "decouple.UndefinedValueError: API_KEY not found. Declare it as envvar or define a default value.", "env:API_KEY"),
    (CONFIG, {**SAME, "env:SHOP_DB_URL": {"hmac": "a", "key": "k"}}, SAME,
     f"{HEAD}pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings\ndb_url\n  Field required",
     "env:SHOP_DB_URL"),
    (CONFIG, {**SAME, "mount:/data": {"type": "bind"}}, SAME,
     f"{HEAD}FileNotFoundError: [Errno 2] No such file or directory: '/data/models/a.bin'", "mount:/data"),
    (CONFIG, {**SAME, "env:LANG": {"value": "C.UTF-8"}}, SAME,
     f"{HEAD}UnicodeEncodeError: 'ascii' codec can't encode character", "env:LANG"),
    (CONFIG, {**SAME, "limit:nofile": {"value": "9"}},
     SAME, f"{HEAD}OSError: [Errno 24] Too many open files", "limit:nofile"),
    (CONFIG, {**SAME, "port:5432/tcp": {"exposed": True}}, SAME,
     'could not connect: Connection refused (0x0000274D/10061) on port 5432: Connection refused', "port:5432/tcp"),
    ("file config/etc/app.toml", {"database.pool": {"value": "3"}, "debug": {"value": "1"}}, {"debug": {"value": "1"}},
     f"{HEAD}KeyError: 'pool'", "database.pool"),
    ("file config/etc/app.yaml", {"origin.country": {"value": "NO"}, "target.country": {"value": "a"}},
     {"origin.country": {"value": "False"}, "target.country": {"value": "b"}},
     f'{HEAD}  File "/app/quote.py", line 2, in f\n    zone(settings["origin"]["country"])\nKeyError: False',
     "origin.country"),
    (CONFIG, {**SAME, "env:BATCH": {"hmac": "a", "key": "k"}, "env:OTHER": {"hmac": "a", "key": "k"}},
     {**SAME, "env:BATCH": {"hmac": "b", "key": "k"}, "env:OTHER": {"hmac": "b", "key": "k"}},
     f'{HEAD}  File "/app/load.py", line 2, in f\n    int(os.getenv("BATCH"))\nValueError: wrong', "env:BATCH"),
    (CONFIG, {**SAME, "env:SHOP_DELAYS": {"value": "1"}, "env:SHOP_DEPOT": {"value": "a"}},
     {**SAME, "env:SHOP_DELAYS": {"value": "2"}, "env:SHOP_DEPOT": {"value": "b"}},
     f'{HEAD}pydantic_settings.exceptions.SettingsError: error parsing value for field "delays"', "env:SHOP_DELAYS"),
    ("file config/etc/mail.ini", {"smtp.user": {"value": "a"}}, {"smtp.user": {"value": "b"}},
     f'{HEAD}  File "/usr/lib/python3.11/configparser.py", line 443, in get\n    raise\nInterpolationSyntaxError: %',
     "smtp.user"),
    ("file config/etc/app.yaml", {"logging.root.level": {"value": "1"}, "cache.level": {"value": "1"}},
     {"logging.root.level": {"value": "2"}, "cache.level": {"value": "2"}},
     f"{HEAD}ValueError: Unable to configure root logger: Unknown level", "logging.root.level"),
    (CONFIG, {**SAME, "env:ALL_PROXY": {"value": "a"}, "env:PAGER": {"value": "a"}},
     {**SAME, "env:ALL_PROXY": {"value": "b"}, "env:PAGER": {"value": "b"}},
     traceback("InvalidSchema: Missing dependencies", ("requests/adapters.py", "self.proxy_manager_for(proxy)")),
     "env:ALL_PROXY"),
    ("python python/srv/app", PYTHON, NEWER, traceback("ModuleNotFoundError: No module named 'distutils'"), "@python"),
    ("python python/srv/app", NEWER, PYTHON, traceback("SyntaxError: invalid syntax"), "@python"),
    ("python python/srv/app", NEWER, PYTHON, "undefined symbol: PyType_FromMetaclass", "@python"),
    ("application app/shop", {"file:web/views.py": {"content": "a"}}, {"file:web/views.py": {"content": "b"}},
     'Traceback (most recent call last):\n  File "/app/web/views.py", line 1, in f\n    x\nValueError: no',
     "file:web/views.py"),
    ("python-files verify/srv/app", {}, {"shapes": {"modified": ("lib/python3.11/site-packages/shapes/round.py",)}},
     traceback("ValueError: no", ("shapes/round.py", "x")), "shapes"),
    ("container container/shop.web", {"image": {"reference": "shop/web:2", "config": "sha256:a"}},
     {"image": {"reference": "shop/web:3", "config": "sha256:b"}},
     "Error response from daemon: manifest for shop/web:3 not found: manifest unknown", "image"),
]  # fmt: skip


@pytest.mark.parametrize(("place", "good", "bad", "text", "item"), OTHERS, ids=[one[3][-60:] for one in OTHERS])
def test_other_kinds_of_causes_are_found_by_what_was_printed(
    place: str, good: Mapping[str, Attributes], bad: Mapping[str, Attributes], text: str, item: str
) -> None:
    assert ranked(*surroundings({place: good}, {place: bad}), text)[:1] == [item]


@pytest.mark.parametrize(
    ("module", "name", "least"),
    [
        ("yaml", "pyyaml", 0.9), ("dateutil", "python-dateutil", 0.9), ("google.auth.x", "google-auth", 1.0),
        ("google.protobuf", "protobuf", 0.8), ("psycopg2", "psycopg2-binary", 0.5), ("bs4", "beautifulsoup4", 0.3),
        ("sklearn", "scikit-learn", 0.3), ("jwt", "pyjwt", 0.9), ("attr", "attrs", 0.4), ("OpenSSL", "pyopenssl", 0.9),
    ],
)  # fmt: skip
def test_a_module_is_like_its_distribution_by_name(module: str, name: str, least: float) -> None:
    assert likeness(module, name) >= least
    assert likeness(module, "zebra") == 0


def test_kin_are_those_with_a_word_in_common_that_says_something() -> None:
    assert kin("readability-lxml", "lxml")
    assert not kin("python-slugify", "python-dateutil")


def test_a_function_takes_what_its_entry_says() -> None:
    assert takes("get(url, /, *, timeout=)", "timeout")
    assert not takes("get(url, /, *, timeout=)", "url")
    assert takes("get(**kw)", "anything")


@given(st.text())
def test_any_text_can_be_asked_about(text: str) -> None:
    for one in evidence(*lists({"shapes": ("1.0", "2.0")}), text):
        assert one.points > 0
