"""Checks how a distribution is asked for, and why it may not be."""

import pytest

from envparity_agent.fingerprint import Attributes
from envparity_server.reproduce.requirements import requirements
from tests.server.reproduce.samples import COMMIT, HASH, dist

OTHER = "f" * 64


def written(**distributions: Attributes) -> list[str]:
    return requirements("python/a", distributions).text("title").splitlines()[1:]


def why(facts: Attributes) -> list[str]:
    return [one.why for one in requirements("python/a", {"a": facts}).gaps if one.item == "a"]


def test_versions_are_pinned_and_those_of_no_standard_letter_by_letter() -> None:
    assert written(a=dist("1.0.post1"), b=dist("2004d")) == ["a==1.0.post1", "b===2004d"]


def test_hashes_are_asked_for_only_where_each_is_known() -> None:
    locked: Attributes = {"version": "1", "hashes": (f"sha256:{HASH}", f"sha256:{OTHER}", "md5:abc")}
    assert written(a=locked) == ["a==1 \\", f"    --hash=sha256:{HASH} \\", f"    --hash=sha256:{OTHER}"]
    assert written(a=locked, b=dist("1")) == ["a==1", "b==1"]


def test_a_commit_and_an_archive_are_asked_for_where_they_are() -> None:
    commit = dist("1", source="https://git.example.org/a", commit=COMMIT)
    archive = dist("1", source="https://files.example.org/a$b.whl", archive=(f"sha256:{HASH}",))
    assert written(a=commit, b=archive) == [
        f"a @ git+https://git.example.org/a@{COMMIT}",
        f"b @ https://files.example.org/a%24b.whl#sha256={HASH}",
    ]


@pytest.mark.parametrize(
    "facts",
    [
        dist("1", source="file:///srv/a", archive=(f"sha256:{HASH}",)), dist("1", source="https://…"),
        dist("1", source="…"),
        dist("1", source="file:///srv/a", editable=True), {"problem": "METADATA: invalid", "version": "1"},
        {"split": ("1 on 2 hosts", "2 on 2 hosts")},
        {"version": "1", "optional": ("extra",)}, dist("1", owner="conda:a 1"), dist("1", marker="no marker"),
        dist("1", marker="python_version\n> '3'"), dist("1 2"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_never_looked_for_under_its_name_elsewhere(facts: Attributes) -> None:
    (line,) = written(a=facts)
    assert line.startswith("# left out: a")
    assert len(why(facts)) == 1


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (dist("1", tags=("cp311-cp311-linux_x86_64",)), "was built where it is used"),
        (dist("2.0+cu121"), "local version"),
        (dist("1", form="egg-info"), "is installed as egg-info"),
        ({"specifier": ">=1"}, "is not pinned"),
    ],
)
def test_what_an_index_may_answer_otherwise_is_told(facts: Attributes, words: str) -> None:
    assert any(words in one for one in why(facts))
    assert written(a=facts)[0].startswith("a")


def test_a_pinned_wheel_has_no_gap_of_its_own_but_all_have_one_about_their_archives() -> None:
    found = requirements("python/a", {"a": dist("1"), "b": dist("2")}).gaps
    assert [one.item for one in found] == ["@archives"]
    assert "2 of 2" in found[0].why
