"""Checks that a project's file is found where it belongs, and that what is wrong in it is told with its line."""

from pathlib import Path

import pytest

from envparity_agent.errors import UsageError
from envparity_agent.project import MAX_RULES, NONE, checked_severity, read_project

RULE = '[[rule]]\nmatch = "os"\nreason = "why"\n'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory below the root of a repository, in which the test runs."""
    place = tmp_path / "repository/part/deeper"
    place.mkdir(parents=True)
    (tmp_path / "repository/.git").mkdir()
    monkeypatch.chdir(place)
    return place


def test_every_key_is_read(here: Path) -> None:
    (here / "envparity.toml").write_text(
        '[severity]\n"python/*" = { major = "high", minor = "low" }\n"os" = "critical"\n'
        '[[rule]]\nmatch = "os-packages/*"\nhosts = "env:dev"\nreason = "why"\nowner = "ada"\nexpires = 2027-03-01\n'
        f'{RULE}severity = "low"\nexpires = 2027-03-01T02:00:00+02:00\n'
    )
    project = read_project()
    assert project.rules == (
        {
            "match": "os-packages/*", "hosts": "env:dev", "reason": "why", "owner": "ada",
            "expires": "2027-03-01T00:00:00+00:00", "severity": None,
        },
        {
            "match": "os", "hosts": "", "reason": "why", "owner": "",
            "expires": "2027-03-01T00:00:00+00:00", "severity": "low",
        },
    )  # fmt: skip
    assert project.severity == (
        {"match": "python/*", "severity": {"major": "high", "minor": "low"}},
        {"match": "os", "severity": "critical"},
    )


def test_the_nearest_file_counts_up_to_the_root_of_the_repository(here: Path) -> None:
    root = here.parents[1]
    (root.parent / "envparity.toml").write_text("this is above the repository, and not even TOML")
    assert read_project() == NONE
    (root / "envparity.toml").write_text(RULE)
    assert read_project().path == str(root / "envparity.toml")
    (here.parent / "pyproject.toml").write_text('[[tool.envparity.rule]]\nmatch = "os"\nreason = "nearer"\n')
    assert [one["reason"] for one in read_project().rules] == ["nearer"]
    (here / "pyproject.toml").write_text('[project]\nname = "says nothing about envparity"\n')
    assert [one["reason"] for one in read_project().rules] == ["nearer"]
    (here.parent / "envparity.toml").write_text(RULE)
    assert [one["reason"] for one in read_project().rules] == ["why"]


def test_outside_of_a_repository_the_current_directory_alone_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = tmp_path / "below"
    below.mkdir()
    (tmp_path / "envparity.toml").write_text(RULE)
    monkeypatch.chdir(below)
    assert read_project() == NONE
    monkeypatch.chdir(tmp_path)
    assert len(read_project().rules) == 1


def test_a_file_may_be_named_or_left_out(here: Path, tmp_path: Path) -> None:
    (here / "envparity.toml").write_text("not TOML")
    other = tmp_path / "others.toml"
    other.write_text(RULE)
    assert read_project(str(other)).path == str(other)
    assert read_project(wanted=False) == NONE
    with pytest.raises(UsageError, match="exclude each other"):
        read_project(str(other), wanted=False)
    with pytest.raises(UsageError, match=r"nowhere\.toml: No such file"):
        read_project("nowhere.toml")
    with pytest.raises(UsageError, match=r"envparity\.toml: .*line 1") as problem:
        read_project()
    assert "--no-rules" in problem.value.advice


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# a comment\nrules = []\n", "line 2: unknown key 'rules'"),
        ("\nrule = 'os'\n", "line 2: rule is not a list"),
        ("rule = ['os']\n", "line 1: a rule is not a table"),
        ("severity = 'high'\n", "line 1: severity is not a table"),
        ("[severity]\nos = 'low'\n'python/*' = 3\n", "line 3: severity is not a text"),
        ("[severity]\n'python/*' = { major = 3 }\n", "line 2: major is not a text"),
        (f'{RULE}[[rule]]\nmatch = "os"\n', "line 4: the rule has no reason"),
        (f'{RULE}[[rule]]\nreason = "why"\n', "line 4: the rule has no match"),
        (f'{RULE}\n[[rule]]\nmatch = "os"\nreason = ""\n', "line 7: reason is empty"),
        (f"{RULE}{RULE}expiry = 2027-03-01\n", "line 7: unknown key 'expiry'"),
        (f"{RULE}expires = 20270301\n", "line 4: expires is not a date"),
        (f"{RULE}expires = 10:00:00\n", "line 4: expires is not a date"),
        (f"{RULE}expires = 0001-01-01T00:00:00+12:00\n", "line 4: expires is not a date"),
        (f"{RULE}hosts = ['env:dev']\n", "line 4: hosts is not a text"),
        (f"{RULE}owner = 'a\\u0000'\n".replace("'", '"'), "line 4: owner is longer than 1024 characters, or has a NUL"),
        (f"{RULE}owner = '{'a' * 1025}'\n", "line 4: owner is longer than 1024 characters"),
        (RULE * (MAX_RULES + 1), f"line 1: more than {MAX_RULES} of rule"),
    ],
    ids=range(17),
)
def test_a_wrong_file_is_told_with_its_line(here: Path, text: str, message: str) -> None:
    (here / "envparity.toml").write_text(text)
    with pytest.raises(UsageError) as problem:
        read_project()
    assert str(problem.value).startswith(f"{here / 'envparity.toml'}, {message}")


def test_lines_of_a_shared_file_are_told_as_well(here: Path) -> None:
    (here / "pyproject.toml").write_text('[project]\nname = "x"\n[[tool.envparity.rule]]\nmatch = "os"\nreason = 1\n')
    with pytest.raises(UsageError, match=r"pyproject\.toml, line 5: reason is not a text"):
        read_project()


def test_a_file_that_is_no_text_or_without_end_is_refused(here: Path) -> None:
    (here / "envparity.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"envparity\.toml"):
        read_project()
    (here / "envparity.toml").write_text("#" * 1024 * 1025)
    with pytest.raises(UsageError, match="is over"):
        read_project()
    with pytest.raises(UsageError, match="is over"):
        read_project("/dev/zero")


def test_a_severity_has_two_keys() -> None:
    with pytest.raises(UsageError, match="a match and a severity"):
        checked_severity({"match": "os", "severity": "low", "reason": "why"})
