"""Checks that ini, TOML, YAML and JSON are read by key, with types, within limits, whatever is in them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.configuration.formats import Invalid, Other, format_of, read
from envparity_agent.collectors.configuration.nested import MAX_DEPTH, MAX_KEYS, MAX_YAML
from tests.agent import strategies


def values(path: str, text: str) -> dict[str, str]:
    """The values of a file that is read in full."""
    found = read(path, text.encode())
    assert found.complete
    return found.values


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("srv/.env", "env"), ("srv/.env.prod", "env"), ("srv/shop.env", "env"), ("etc/shop.INI", "ini"),
        ("etc/a.cfg", "ini"), ("etc/a.conf", "ini"), ("a.toml", "toml"), ("a.yml", "yaml"), ("a.yaml", "yaml"),
        ("a.json", "json"), ("etc/hosts", "whole"), ("etc/a.json.bak", "whole"), ("ini", "ini"),
    ],
)  # fmt: skip
def test_the_name_says_the_format(path: str, form: str) -> None:
    assert format_of(path) == form


def test_nested_keys_are_joined() -> None:
    expected = {"db.hosts[0].port": "5432", "db.hosts[1]": '"x"', "db.tls": "true", "db.none": "null", "db.no": "[]"}
    tree = {"db": {"hosts": [{"port": 5432}, "x"], "tls": True, "none": None, "no": []}}
    assert values("a.json", json.dumps(tree)) == expected
    assert values("a.yaml", "db:\n  hosts:\n  - port: 5432\n  - x\n  tls: yes\n  none: ~\n  'no': []\n") == expected
    del expected["db.none"]
    assert values("a.toml", '[db]\nhosts=[{port=5432},"x"]\ntls=true\nno=[]') == expected


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("a.yaml", "a: 1", "a: '1'"),
        ("a.yaml", "a: true", "a: 'true'"),
        ("a.yaml", "a: null", "a: 'null'"),
        ("a.yaml", "a: 2026-01-01", "a: '2026-01-01'"),
        ("a.yaml", "a: !vault x", "a: x"),
        ("a.yaml", "a: {}", "a: []"),
        ("a.json", '{"a": 1}', '{"a": 1.0}'),
        ("a.json", '{"a": 1}', '{"a": "1"}'),
        ("a.json", '{"a": null}', '{"a": "null"}'),
        ("a.json", '{"a": NaN}', '{"a": "NaN"}'),
        ("a.toml", "a = 1", "a = '1'"),
        ("a.toml", "a = 1", "a = 1.0"),
        ("a.toml", "a = 2026-01-01", "a = '2026-01-01'"),
        ("a.toml", "a = 2026-01-01", "a = 2026-01-01T00:00:00"),
        ("a.ini", "[a]\nb=1", "[a]\nb=01"),
    ],
)
def test_values_of_unlike_types_differ(path: str, one: str, other: str) -> None:
    assert values(path, one) != values(path, other)


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("a.yaml", "a: 1\nb: [x, y]", "# words\nb:\n- x # more\n- y\na: 1\n"),
        ("a.yaml", "a: yes", "a: true"),
        ("a.yaml", "a: x", 'a: "x"'),
        ("a.yaml", "x: &x {a: 1}\ny: *x", "x: {a: 1}\ny: {a: 1}"),
        ("a.yaml", "x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}", "x: {a: 1, b: 2}\ny: {a: 1, b: 3}"),
        ("a.yaml", "x: &x {a: 1}\nz: &z {a: 2}\ny: {<<: [*x, *z]}", "x: {a: 1}\nz: {a: 2}\ny: {a: 1}"),
        ("a.json", '{"a": 1, "b": 2}', '\ufeff{ "b":2, "a":1 }'),
        ("a.json", '{"a": 1, "a": 2}', '{"a": 2}'),
        ("a.toml", "a.b = 1", "# words\n[a]\nb = 1"),
        ("a.toml", "a = 'x'", 'a = "x" # words'),
        ("a.ini", "[a]\nx = 1\ny=2\n[b]\n", "; words\n[a]\n# more\ny: 2\nx=1\n"),
        ("a.ini", "[a]\nx = 1\n  more", "[a]\nx=1\n\tmore"),
    ],
)
def test_comments_order_and_notation_do_not_matter(path: str, one: str, other: str) -> None:
    assert values(path, one) == values(path, other) == values(path, one.replace("\n", "\r\n"))


def test_ini_is_neither_interpolated_nor_folded() -> None:
    text = "[DEFAULT]\nx=1\n[A]\nName=%(x)s\nalone\n"
    assert values("a.ini", text) == {"DEFAULT.x": "1", "A.Name": "%(x)s", "A.alone": ""}


def test_keys_that_look_like_several_are_told_apart() -> None:
    one = values("a.json", '{"a.b": 1, "a": {"b": 2, "@file": 3}, "a[0]": 4, "": 5, "@file": 6}')
    assert one == {'"a.b"': "1", "a.b": "2", 'a."@file"': "3", '"a[0]"': "4", '""': "5", '"@file"': "6"}
    assert values("a.ini", "[a.b]\nc=1\n[a]\nb.c=2") == {'"a.b".c': "1", 'a."b.c"': "2"}


def test_documents_without_keys_are_values() -> None:
    assert values("a.json", "1") == {"@value": "1"}
    assert values("a.json", "[[1]]") == {"[0][0]": "1"}
    assert values("a.yaml", "a: 1\n---\nb: 2") == {"[0].a": "1", "[1].b": "2"}
    assert values("a.yaml", "") == {"@value": "[]"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.json", "{"), ("a.json", "[" * 100_000), ("a.json", "9" * 5000 + "x"), ("a.toml", "a"), ("a.toml", "a = "),
        ("a.toml", f"a = {'9' * 5000}"), ("a.toml", f"a = 0x{'f' * 5000}"), ("a.toml", f"a = {'[' * 5000}"),
        ("a.toml", f"a{'.a' * 100_000} = 1"), ("a.toml", "[" + "'a' . " * 50 + "a]"), ("a.toml", '"\\"".' * 50 + "a=1"),
        ("a.yaml", "a: [b"), ("a.yaml", "a: *b"), ("a.yaml", "[" * 5000), ("a.yaml", '"\\UFFFFFFFF"'),
        ("a.yaml", "\0"), ("a.yaml", "{a: 1}: 2"), ("a.yaml", "a: {<<: 1}"), ("a.yaml", f"%YAML {'9' * 5000}"),
        ("a.ini", "a=1"), ("a.ini", "[a\nb"), (".env", "some words"),
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_what_follows_no_format_is_invalid(path: str, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(path, text.encode("utf-8", "replace"))
    assert not isinstance(refused.value, Other)


def test_what_is_not_text_is_invalid() -> None:
    with pytest.raises(Invalid):
        read("a.yaml", b"a: \xff")


def test_a_name_that_many_formats_have_promises_none() -> None:
    with pytest.raises(Other):
        read("etc/nginx.conf", b"http {\n  server { listen 80; }\n}\n")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.json", json.dumps({str(number): number for number in range(MAX_KEYS + 1)})),
        ("a.json", '{"a":' * (MAX_DEPTH + 2) + "1" + "}" * (MAX_DEPTH + 2)),
        ("a.json", json.dumps({"k" * 5000: 1})),
        (".env", "".join(f"A{number}=1\n" for number in range(MAX_KEYS + 1))),
        ("a.yaml", "#" * (MAX_YAML + 1)),
        ("a.yaml", "a: &a [x,x]\n" + "".join(f"b{n}: &b{n} [*{p},*{p},*{p}]\n" for n, p in
                                            enumerate(["a", *(f"b{n}" for n in range(20))]))),
        ("a.yaml", "a: &a [" + "1," * 20_000 + "]\nb: " + "[" * 30 + "*a," * 2000 + "]" * 30),
        ("a.yaml", "a: &a\n  <<: *a\n"),
        ("a.yaml", "a: &a [*a]\n"),
        ("a.yaml", "a: &a {<<: [" + "*a," * 20_000 + "]}\nb: [" + "*a," * 2000 + "]"),
    ],
    ids=range(10),
)  # fmt: skip
def test_what_is_too_much_is_cut_and_said(path: str, text: str) -> None:
    found = read(path, text.encode())
    assert not found.complete
    assert len(found.values) <= MAX_KEYS


@given(strategies.documents)
def test_any_json_has_as_many_keys_as_values(document: object) -> None:
    found = read("a.json", json.dumps(document).encode())

    def leaves(node: object) -> int:
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        return sum(map(leaves, inner)) or 1

    assert found.complete
    assert len(found.values) == leaves(document)


plain = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6)
bare = st.from_regex(r"\A[A-Za-z][A-Za-z0-9 ./:%$-]{0,8}[A-Za-z0-9]\Z")


@given(st.dictionaries(plain, st.dictionaries(bare.filter(lambda name: ":" not in name), bare, min_size=1)))
def test_an_ini_is_read_as_it_was_written(tree: dict[str, dict[str, str]]) -> None:
    text = "".join(f"[{one}]\n" + "".join(f"{k} = {v}\n" for k, v in pairs.items()) for one, pairs in tree.items())
    found = values("a.ini", text)
    assert sorted(found.values()) == sorted(value for pairs in tree.values() for value in pairs.values())


def check_that_it_is_read_or_invalid(path: str, content: bytes) -> None:
    try:
        found = read(path, content)
    except Invalid:
        return
    assert all(isinstance(value, str) for value in found.values.values())


@given(st.sampled_from([".env", "a.ini", "a.toml", "a.yaml", "a.json", "a.conf"]), st.binary(max_size=60))
def test_any_bytes_are_read_or_invalid(path: str, content: bytes) -> None:
    check_that_it_is_read_or_invalid(path, content)


@given(st.sampled_from(["a.toml", "a.yaml", "a.ini", "a.json"]), st.text("ab:=[]{}&*<-'\"\\#.,| \n\t1"))
def test_any_text_of_their_signs_is_read_or_invalid(path: str, text: str) -> None:
    check_that_it_is_read_or_invalid(path, text.encode())
