"""Checks that whatever a declaring file holds, it is read within bounds or refused in words, and fits the contract."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.declared.readers import READERS, REQUIREMENTS
from envparity_agent.collectors.declared.source import Source
from envparity_agent.collectors.interface import Options
from envparity_agent.collectors.values import Disclosure, Key
from envparity_agent.documents import check_items
from envparity_agent.errors import UsageError
from envparity_agent.fingerprint import Section
from envparity_agent.kinds import KINDS
from envparity_agent.survey import within_contract
from tests.agent.collectors.declared.files import refusal

OPTIONS = Options(disclosure=Disclosure(Key(b"0" * 32)), labels=("*",))
ALL = (*READERS, REQUIREMENTS)
NAMES = {one.names[0].replace("*", "x"): one for one in ALL}

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = (
    "package", "packages", "name", "version", "source", "dependencies", "marker", "extra", "wheels", "hash", "url",
    "manifest", "members", "metadata", "default", "develop", "_meta", "requires", "project", "dependency-groups",
    "optional-dependencies", "services", "image", "environment", "ports", "extends", "service", "pip", "volumes",
    "git", "editable", "virtual", "lock-version", "created-by", "hashes", "labels", "deploy", "env_file", "command",
)  # fmt: skip
VALUES = (
    "idna", "3.7", "1.0", ".", "python_version < '3'", "sys_platform == 'x' and (", "sha256:0", "8000:80", "[::1]:1:2",
    "git+https://u:p@x.example/y@z#q", "http://[x", "${A:-${B}}", "${", "$$", "numpy=1.2=3", "${A:-" * 50, "~/x:ro",
)  # fmt: skip
likely = st.recursive(
    st.sampled_from(VALUES) | scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=30,
)
WORDS = (
    "FROM", "a", "AS", "b", "ENV", "A=1", "A", "$A", "${A:-x}", "${A", "ARG", "RUN", "pip", "install", "-r", "apt-get",
    "curl=1.*", "&&", ";", "<<EOF", "EOF", "\\", "\n", "\n", "\n", "#", "COPY", ".", "/x/", "EXPOSE", "80-90/udp",
    "CMD", '["a"', "]", '"', "'", "--mount=type=bind,source=x,target=y", "apk", "add", "-t", "del", "dnf", "x-1.2-3",
    "LABEL", "WORKDIR", "../..", "USER", "`", "# escape=`", "SHELL", "ENTRYPOINT", "--from=a", "ONBUILD", "uv", "sync",
)  # fmt: skip


def outcome(name: str, content: bytes) -> list[Section]:
    """What a reader makes of a content: sections that fit the contract, none where it is refused."""
    try:
        found = [within_contract(one) for one in NAMES[name].read(Source(name, content), OPTIONS)]
    except UsageError:
        return []
    for section in found:
        decoded = json.loads(section.pages[0].body, object_hook=_tuples)
        check_items(decoded["items"], section.path)
        known = KINDS[section.kind, section.schema].attributes
        assert {attribute for body in section.items.values() for attribute in body} <= known.keys()
    return found


def _tuples(body: dict[str, object]) -> dict[str, object]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in body.items()}


def toml(value: object) -> str:
    """A value in TOML; what TOML has no form for is left out."""
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(key)} = {toml(one)}" for key, one in value.items() if one is not None)
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(toml(one) for one in value if one is not None)}]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value)


def document(value: object) -> str:
    """A mapping as a TOML document."""
    assert isinstance(value, dict)
    return "".join(f"{json.dumps(key)} = {toml(one)}\n" for key, one in value.items() if one is not None)


@pytest.mark.parametrize("name", NAMES)
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_read_or_refused(name: str, content: bytes) -> None:
    outcome(name, content)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(("Docker", "x.txt"))])
@given(value=st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), likely | trees, max_size=6))
def test_any_document_is_read_or_refused(name: str, value: dict[str, object]) -> None:
    text = document(value) if name.endswith(("toml", "uv.lock", "poetry.lock")) else json.dumps(value)
    outcome(name, text.encode("utf-8", "replace"))
    outcome(name, f"version = 1\nlock-version = '1.0'\ncreated-by = ''\n{text}".encode("utf-8", "replace"))


@given(words=st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=60))
def test_any_dockerfile_is_read_or_refused(words: list[str]) -> None:
    outcome("Dockerfile", f"FROM a\n{' '.join(words)}".encode("utf-8", "replace"))


@given(words=st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=40))
def test_any_requirements_are_read_or_refused(words: list[str]) -> None:
    outcome("x.txt", " ".join(words).encode("utf-8", "replace"))


DEEP = 100_000
BOMBS = {
    "nested JSON": ("Pipfile.lock", '{"default":' + '{"a":' * DEEP),
    "nested TOML": ("uv.lock", "version = 1\na = " + "[" * DEEP),
    "nested tables of TOML": ("uv.lock", "version = 1\na = " + "{a=" * DEEP),
    "a key of TOML with many parts": ("uv.lock", "a." * DEEP + "a = 1"),
    "many keys of TOML with parts": ("uv.lock", "\n".join(f"{'a.' * 400}k{n} = 1" for n in range(10_000))),
    "nested YAML": ("compose.yaml", "a: " + "[" * DEEP),
    "nested YAML by indentation": ("compose.yaml", "".join(f"{' ' * depth}a:\n" for depth in range(300))),
    "aliases that double": (
        "compose.yaml",
        "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60)),
    ),
    "merges that double": (
        "compose.yaml",
        "a0: &a0 {x: y}\n" + "".join(f"a{n}: &a{n} {{k{n}: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 60)),
    ),
    "an alias of what it is in": ("compose.yaml", "services: &a {web: *a}\n"),
    "an alias of nothing": ("compose.yaml", "services: *a\n"),
    "a key that occurs twice in YAML": ("compose.yaml", "services:\n  web: {}\n  web: {}\n"),
    "a key that occurs twice in JSON": ("Pipfile.lock", '{"_meta": {},\n "default": {},\n "default": {}}'),
    "a key that occurs twice in TOML": ("uv.lock", "version = 1\nversion = 1\n"),
    "NaN": ("Pipfile.lock", '{"default": NaN}'),
    "a number of 10,000 digits": ("Pipfile.lock", '{"default": ' + "9" * 10_000 + "}"),
    "a number of 10,000 digits in TOML": ("uv.lock", "version = " + "9" * 10_000),
    "two documents": ("compose.yaml", "services: {}\n---\nservices: {}\n"),
    "an object of Python's": ("compose.yaml", "services: !!python/object/apply:os.system [id]\n"),
    "a marker of many parentheses": (
        "pylock.toml",
        "lock-version = '1.0'\ncreated-by = 'x'\n[[packages]]\nname = 'a'\nmarker = \"" + "(" * DEEP + '"\n',
    ),
    "a heredoc without an end": ("Dockerfile", "FROM a\nRUN <<EOF\napt-get\n"),
    "a service that extends itself": ("compose.yaml", "services: {web: {extends: web}}\n"),
    "a NUL": ("Dockerfile", "FROM a\nRUN \0\n"),
}


@pytest.mark.parametrize("case", BOMBS)
def test_what_is_made_to_break_a_parser_is_refused_with_a_line(tmp_path: Path, case: str) -> None:
    name, content = BOMBS[case]
    assert refusal(tmp_path, name, content).startswith(f"{name}, line ")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Dockerfile", "FROM a\nENV A=" + "x" * 1000 + "\n" + "ENV A=$A$A\n" * 200),
        ("Dockerfile", "FROM a\nRUN " + "x \\\n" * 100_000),
        ("Dockerfile", "FROM a\nRUN " + "'" * 100_001 + "\n"),
        ("Dockerfile", "FROM a\nRUN <<" + "A" * 100_000 + "\n"),
        ("compose.yaml", "services: {web: {command: '" + "${A:-" * 20_000 + "'}}\n"),
        ("compose.yaml", "services: {web: {ports: ['" + "1" * 100_000 + "']}}\n"),
        ("environment.yml", "dependencies: ['" + "a=" * 50_000 + "']\n"),
        ("requirements.txt", "a" * 200_000 + "\n"),
        ("pyproject.toml", "[project]\ndependencies = ['" + "a[" * 50_000 + "']\n"),
    ],
)
def test_a_long_text_is_read_to_its_end_or_refused(tmp_path: Path, name: str, content: str) -> None:
    """What takes quadratic time would not come to an end here."""
    told = refusal(tmp_path, name, content)
    assert not told or told.startswith(f"{name}, line ")
