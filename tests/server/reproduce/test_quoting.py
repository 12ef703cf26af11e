"""Checks that foreign text stands for itself wherever it is written: read back, it is what it was."""

import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement

from envparity_agent.collectors.declared.dockerfile_syntax import Lookup, expand, instructions, of, pairs
from envparity_agent.collectors.declared.source import Source
from envparity_agent.fingerprint import Fingerprint, Section
from envparity_server.reproduce import quoting
from envparity_server.reproduce.reproducing import reproduce
from tests.server.making import attributes, fingerprints, host, section
from tests.server.reproduce.samples import DEBIAN, image, python

SET: Lookup = of({"HOME": "/expanded", "x": "expanded"})
WORDS = frozenset({
    "ARG", "FROM", "RUN", "COPY", "ENV", "LABEL", "EXPOSE", "WORKDIR", "USER", "ENTRYPOINT", "CMD",
})  # fmt: skip

texts = st.text(st.sampled_from("a $\\\"'`#{}x\t<>EOF=\n\r…\u2028;&|")) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=12
)
quotable = texts.filter(quoting.is_quotable)


@given(quotable)
def test_a_variable_has_the_value_that_was_told(value: str) -> None:
    found, escape = instructions(Source("Dockerfile", f"ENV NAME={quoting.word(value)}\nENV NEXT=1\n".encode()))
    assert [one.word for one in found] == ["ENV", "ENV"]
    assert list(pairs(found[0].value, SET, escape)) == [("NAME", value)]


@given(quotable)
def test_a_directory_has_the_name_that_was_told(value: str) -> None:
    [found], escape = instructions(Source("Dockerfile", f"WORKDIR {quoting.word(value)}\n".encode()))
    assert expand(found.value, SET, escape) == value


@given(quotable)
def test_a_shell_reads_one_word(value: str) -> None:
    assert shlex.split(f"echo {quoting.shell(value)} after", comments=True) == ["echo", value, "after"]


@given(st.lists(texts))
def test_a_command_has_its_words(words: list[str]) -> None:
    written = quoting.exec_form(words)
    assert written.isprintable()
    assert json.loads(written) == words


@given(texts)
def test_a_comment_stays_on_its_line(text: str) -> None:
    assert quoting.one_line(text).splitlines() in ([quoting.one_line(text)], [])


@pytest.mark.parametrize("text", ["two\nlines", "back\rhome", "\x00", "\x1b[31m", "\u202e"])
def test_what_a_dockerfile_cannot_show_is_not_written(text: str) -> None:
    assert not quoting.is_quotable(text)


@given(st.text("ab`\n", max_size=12))
def test_code_of_markdown_ends_where_it_was_meant_to(text: str) -> None:
    written = quoting.code(text)
    fence = written[: len(written) - len(written.lstrip("`"))]
    assert written.endswith(fence)
    assert fence not in written[len(fence) : -len(fence)] or not text


HOSTILE = texts.filter(bool)


@given(fingerprints(), HOSTILE, HOSTILE, st.data())
def test_no_target_makes_another_instruction_than_was_meant(
    fingerprint: Fingerprint, name: str, value: str, data: st.DataObject
) -> None:
    config = section(
        "container/web/config",
        {f"env:{name}": {"value": value}, f"label:{name}": {"value": value}, f"port:{name}": {"exposed": True},
         "workdir": {"value": value}, "user": {"value": value}, "command": {"command": value}},
        kind="configuration",
    )  # fmt: skip
    packages = section("os-packages", {name: {"version": value}, "python3": {"version": value, "manager": "deb"}})
    hostile = Section(f"python/{name}", "python", 2, {name: data.draw(attributes("python")), "a": {"version": value}})
    sample = host(
        *fingerprint.sections.values(), DEBIAN, config, packages, hostile, python(f"python/srv/{name}", {}),
        image({f"layer:{name}": {"change": value}}, base=value, repo_digests=(value,)), kind="container", name=name,
    )  # fmt: skip
    made = reproduce(sample)
    assert made == reproduce(sample)
    found, _ = instructions(Source("Dockerfile", made.files["Dockerfile"].encode()))
    assert {one.word for one in found} <= WORDS
    assert sum(one.word == "FROM" for one in found) == 1
    for one in found:
        if one.word == "RUN":
            assert shlex.split(one.value)


@given(HOSTILE, st.dictionaries(st.sampled_from(["version", "specifier", "source", "commit", "marker"]), texts))
def test_pip_reads_one_requirement_a_line(name: str, facts: dict[str, str]) -> None:
    made = reproduce(host(DEBIAN, Section("python/a.txt", "declared", 2, {name: facts})))
    for line in made.files.get("requirements.txt", "").split("\n"):
        if line and not line.startswith("#"):
            try:
                Requirement(line)
            except InvalidRequirement:
                pytest.fail(line)
            assert "${" not in line
