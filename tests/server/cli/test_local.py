"""Tests of `envparity diff`: exact JSON for programs, words for people, and no traceback for anybody."""

import json
from pathlib import Path

import pytest

from envparity_agent.fingerprint import Fingerprint, Reason, Status
from tests.server.cli.running import envparity
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages, section


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A directory with two requirements files."""
    (tmp_path / "left.txt").write_text("idna==3.4\nflask==3.0.1\nrequests>=2\n")
    (tmp_path / "right.txt").write_text("idna==3.7\nflask==3.0.1\nrequests>=2\nwerkzeug==3.0\n")
    return tmp_path


def saved(path: Path, fingerprint: Fingerprint) -> Path:
    """A fingerprint in a file."""
    path.write_text(json.dumps(fingerprint.document()))
    return path


def test_two_requirements_files_are_compared_with_the_promised_json(home: Path) -> None:
    ended = envparity(home, "diff", "left.txt", "right.txt", "--json")
    assert ended.exit_code == 0, ended.complaint
    assert ended.complaint == ""
    document = ended.document
    assert set(document) == {"schema", "left", "right", "summary", "differences", "paired", "not_examined"}
    assert (document["schema"], document["left"], document["right"]) == (
        1,
        {"kind": "declared", "name": "left.txt"},
        {"kind": "declared", "name": "right.txt"},
    )
    assert document["summary"] == {"same": 2, "changed": 1, "only_right": 1}
    assert [list(one) for one in document["differences"]] == [
        ["id", "section", "item", "attribute", "state", "left", "right", "severity", "distance", "owner", "rule"]
    ] * 2
    assert [{**one, "id": ""} for one in document["differences"]] == [
        {
            "id": "", "section": "python/left.txt", "item": "werkzeug", "attribute": "version", "state": "only_right",
            "left": None, "right": "3.0", "severity": "high", "distance": None, "owner": None,
            "rule": None,
        },
        {
            "id": "", "section": "python/left.txt", "item": "idna", "attribute": "version", "state": "changed",
            "left": "3.4", "right": "3.7", "severity": "medium", "distance": "minor", "owner": None,
            "rule": None,
        },
    ]  # fmt: skip
    assert document["paired"] == [
        {"left": "python/left.txt", "right": "python/right.txt", "why": "75 % of the package names in common"},
    ]
    assert document["not_examined"] == []


def test_people_get_words_and_what_was_not_examined(home: Path) -> None:
    ended = envparity(home, "diff", "left.txt", "right.txt")
    assert ended.exit_code == 0
    lines = [line.strip() for line in ended.output.splitlines() if line.strip()]
    assert lines[0] == "left   declared left.txt"
    assert any("idna" in line and "3.4 → 3.7" in line and line.startswith("medium") for line in lines)
    assert "1 high, 1 medium; 2 items the same" in lines
    assert lines[-1].startswith("not examined:")


def test_a_file_does_not_differ_from_itself(home: Path) -> None:
    ended = envparity(home, "diff", "left.txt", "left.txt", "--json")
    assert ended.document["differences"] == []
    assert "no difference; 3 items the same" in envparity(home, "diff", "left.txt", "left.txt").output


def test_names_without_versions_are_compared_too(home: Path) -> None:
    (home / "loose.txt").write_text("idna\nflask\npytest\n")
    ended = envparity(home, "diff", "loose.txt", "left.txt", "--json")
    assert ended.exit_code == 0, ended.complaint
    assert {"pytest", "requests"} <= {one["item"] for one in ended.document["differences"]}


def test_versions_that_differ_by_a_zero_and_a_suffix_have_a_distance(home: Path) -> None:
    (home / "a.txt").write_text("torch==2.0+cpu\n")
    (home / "b.txt").write_text("torch==2.0.0+cu121\n")
    ended = envparity(home, "diff", "a.txt", "b.txt", "--json")
    assert ended.exit_code == 0, ended.complaint
    assert [one["distance"] for one in ended.document["differences"]] == ["local"]


def test_fingerprint_files_and_standard_input_are_targets(home: Path) -> None:
    left = saved(home / "left.json", host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": "3.4"})))
    right = host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": "3.7"}), name="web-2").document()
    ended = envparity(home, "diff", left, "-", "--json", standard_input=json.dumps(right))
    assert [(one["item"], one["left"], one["right"]) for one in ended.document["differences"]] == [
        ("idna", "3.4", "3.7")
    ]
    assert ended.document["right"] == {"kind": "host", "name": "web-2"}


def test_what_could_not_be_read_is_listed_at_the_end(home: Path) -> None:
    blind = section("containers", {}, Status.FAILED, Reason.PERMISSION)
    left, right = saved(home / "a.json", host(SEARCHED, blind)), saved(home / "b.json", host(SEARCHED, ENGINE))
    output = envparity(home, "diff", left, right).output
    assert "no difference" in output
    assert output.rstrip().endswith("containers: left: failed(permission)")
    assert envparity(home, "diff", left, right, "--json").document["not_examined"] == [
        {"section": "containers", "why": "left: failed(permission)"},
    ]


@pytest.fixture
def services(home: Path) -> Path:
    """Two root directories with a service, whose two variables are the same and not."""
    for name, password in (("a", "hunter2"), ("b", "hunter3")):
        place = home / name / "etc/systemd/system"
        place.mkdir(parents=True)
        (place / "shop.service").write_text(f"[Service]\nEnvironment=PASSWORD={password} SAME=x\n")
    return home


def test_values_that_are_not_told_are_told_apart_without_a_key_where_both_are_read_in_one_run(services: Path) -> None:
    ended = envparity(services, "diff", f"root:{services / 'a'}", f"root:{services / 'b'}", "--only", "configuration")
    assert "medium    env:PASSWORD  other value" in ended.output
    assert "env:SAME" not in ended.output
    assert "unknown" not in ended.output


def test_values_of_a_fingerprint_from_elsewhere_are_unknown_without_a_key(services: Path) -> None:
    (services / "a.json").write_text(envparity(services, "show", f"root:{services / 'a'}", "--json").output)
    for sides in (("a.json", f"root:{services / 'a'}"), ("a.json", "a.json")):
        ended = envparity(services, "diff", *sides, "--only", "configuration", "--json")
        assert {one["item"]: one["state"] for one in ended.document["differences"]} == {
            None: "unknown",
            "env:PASSWORD": "unknown",
            "env:SAME": "unknown",
        }


def test_many_differences_are_folded_unless_all_are_asked_for(home: Path) -> None:
    for name, version in (("a.txt", "1.0"), ("b.txt", "2.0")):
        (home / name).write_text("".join(f"package-{number:02}=={version}\n" for number in range(30)))
    folded, full = (envparity(home, "diff", "a.txt", "b.txt", *more).output for more in ((), ("--all",)))
    assert "30 changed (30 major)" in folded
    assert "package-29" not in folded
    assert "package-29" in full


def test_a_scope_limits_what_is_compared(home: Path) -> None:
    left = saved(home / "a.json", host(OPERATING_SYSTEM, SEARCHED, packages({"idna": "3.4"})))
    right = saved(home / "b.json", host(section("os"), SEARCHED, packages({"idna": "3.7"})))
    ended = envparity(home, "diff", left, right, "--only", "python/*", "--json")
    assert [one["item"] for one in ended.document["differences"]] == ["idna"]


def test_foreign_text_cannot_forge_what_is_read(home: Path) -> None:
    hostile = "\x1b[2Kfake\r\nno difference; 9 items the same\u202e"
    left, right = (
        saved(home / f"{number}.json", host(SEARCHED, packages({hostile: f"{number}.0{hostile}"}), name=hostile))
        for number in (1, 2)
    )
    output = envparity(home, "diff", left, right).output
    assert not {"\x1b", "\r", "\u202e"} & set(output)
    assert "\nno difference" not in output
    assert "\\x1b[2Kfake\\r\\n" in output


@pytest.mark.parametrize(
    "arguments",
    [
        ("nowhere.txt", "left.txt"),
        ("left.txt", "right.txt", "--only", "pyhton"),
        ("left.txt", "right.txt", "--jsno"),
        ("left.txt", "host:web-1@tomorrow"),
        ("left.txt", "env:prod"),
        ("left.txt", "broken.json"),
        ("left.txt", "broken.txt"),
    ],
)
def test_a_wrong_question_is_told_in_words_and_exits_2(home: Path, arguments: tuple[str, ...]) -> None:
    (home / "broken.json").write_text('{"schema": 1}')
    (home / "broken.txt").write_text("this is = no requirement\n")
    ended = envparity(home, "diff", *arguments)
    assert ended.exit_code == 2
    assert ended.output == ""
    assert ended.complaint
    assert "Traceback" not in ended.complaint


def test_a_project_s_rules_are_applied_and_what_they_expect_is_counted(home: Path) -> None:
    (home / "envparity.toml").write_text(
        '[[rule]]\nmatch = "python/*/werkzeug"\nreason = "comes with the next release"\n'
        '[severity]\n"python/*/idna" = { minor = "critical" }\n'
    )
    ended = envparity(home, "diff", "left.txt", "right.txt")
    assert "1 critical; 1 expected; 2 items the same" in ended.output
    assert "comes with the next release" in ended.output
    assert "werkzeug" not in ended.output
    assert ended.complaint == f"with the rules of {home}/envparity.toml\n"
    everything = envparity(home, "diff", "left.txt", "right.txt", "--all").output
    assert "python/left.txt  werkzeug  only right: 3.0" in everything
    document = envparity(home, "diff", "left.txt", "right.txt", "--json").document
    assert document["summary"] == {"same": 2, "changed": 1, "expected": 1}
    (expected,) = (one for one in document["differences"] if one["state"] == "expected")
    assert (expected["item"], expected["found"], expected["reason"]) == (
        "werkzeug", "only_right", "comes with the next release",
    )  # fmt: skip
    assert len(expected["rule"]) == 16


def test_rules_can_be_named_and_left_out_and_what_only_they_cover_is_no_parity_unsaid(home: Path) -> None:
    (home / "envparity.toml").write_text("not TOML")
    (home / "ours.toml").write_text('[[rule]]\nmatch = "python/*"\nreason = "two lists"\n')
    named = envparity(home, "diff", "left.txt", "right.txt", "--rules", "ours.toml")
    assert "nothing unexpected; 2 expected; 2 items the same" in named.output
    without = envparity(home, "diff", "left.txt", "right.txt", "--no-rules")
    assert (without.exit_code, "1 high, 1 medium; 2 items the same" in without.output) == (0, True)
    broken = envparity(home, "diff", "left.txt", "right.txt")
    assert (broken.exit_code, broken.output) == (2, "")
    assert "--no-rules" in broken.complaint


def test_a_rule_that_has_expired_is_told(home: Path) -> None:
    (home / "envparity.toml").write_text(
        '[[rule]]\nmatch = "python/*"\nreason = "until spring"\nexpires = 2020-03-01\n'
    )
    output = envparity(home, "diff", "left.txt", "right.txt").output
    assert "1 high, 1 medium; 2 items the same" in output
    assert "the rule python/* (until spring) expired on 2020-03-01: 2 differences no longer covered" in output
