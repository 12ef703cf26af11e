"""Tests of the verb `gate`: its exit codes, what it asks a server for, and what it tells without one."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from envparity_agent.collectors.interface import Options
from envparity_agent.fingerprint import Reason, Status
from envparity_agent.targets import fingerprint
from envparity_server.app import create_app
from envparity_server.storage.database import writing
from tests.agent.commands import envparity as lean
from tests.agent.serving import answering
from tests.agent.trees import distribution, venv
from tests.forking import Ended
from tests.server.asking import Asking
from tests.server.cli.running import envparity
from tests.server.cli.served import served
from tests.server.fleet import enrolled, report
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages, section

TOKEN = {"ENVPARITY_TOKEN": "secret"}
HEAVY = ("alembic", "fastapi", "jinja2", "pydantic_settings", "sqlalchemy", "starlette", "uvicorn")
DIFFERENCE = {"section": "python/app", "item": "idna", "severity": "high", "state": "changed", "words": "3.4 -> 3.7"}
PARITY = {"verb": "gate", "verdict": "parity", "summary": "in short", "differences": [], "reasons": []}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A directory with an environment that has idna 3.4 and flask 3.0."""
    environment(tmp_path, "shop", idna="3.4", flask="3.0")
    return tmp_path


def environment(home: Path, name: str, **pinned: str) -> None:
    """An environment that has these and nothing else."""
    shutil.rmtree(home / name, ignore_errors=True)
    site = venv(home, name)
    for one, version in pinned.items():
        distribution(site, one, version)


def lock(home: Path, name: str = "requirements.txt", **pinned: str) -> str:
    """A requirements file that pins these."""
    (home / name).write_text("".join(f"{one}=={version}\n" for one, version in pinned.items()))
    return name


def gate(home: Path, against: str, *more: str | Path, **variables: str) -> Ended:
    """Judge the environment."""
    return envparity(home, "gate", "--target", "shop", "--against", against, *more, **variables)


def asked(home: Path, status: int, answer: Any, *more: str | Path, **variables: str) -> tuple[Ended, dict[str, Any]]:
    """Ask a server that answers so; how it ended, and what was asked."""
    with answering(lambda *_: (status, answer)) as server:
        ended = gate(home, "env:prod", "--server", server.url, *more, **TOKEN, **variables)
    assert [path for path, _ in server.requests] == ["/api/v1/gates"]
    assert "Traceback" not in ended.complaint
    return ended, json.loads(server.requests[0][1])


def refused(ended: Ended, told: str, advice: str = "") -> None:
    """It was a wrong question, told in words, and nothing was printed as a result."""
    assert (ended.exit_code, ended.output) == (2, ""), ended.complaint
    assert told in ended.complaint
    assert advice in ended.complaint
    assert "Traceback" not in ended.complaint


@pytest.mark.parametrize(("verdict", "code"), [("parity", 0), ("drift", 1), ("unknown", 3)])
def test_the_verdict_of_the_server_is_the_exit_code(home: Path, verdict: str, code: int) -> None:
    answer = {"verdict": verdict, "summary": "in short", "differences": [DIFFERENCE], "reasons": ["web-3 is stale"]}
    ended, _ = asked(home, 200, answer)
    assert ended.exit_code == code
    lines = ended.output.splitlines()
    assert (lines[0], lines[-1]) == (f"{verdict}: in short", f"exit {code}")
    assert "idna 3.4 -> 3.7" in ended.output
    assert "web-3 is stale" in ended.output


@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [
        (200, {}, 3),
        (200, {"verdict": ["parity"]}, 3),
        (200, {"verdict": "parity"}, 3),
        (200, {"verdict": "parity", "differences": 5, "reasons": []}, 3),
        (200, {"verdict": "maybe", "differences": [], "reasons": []}, 3),
        (200, [], 3),
        (302, {}, 3),
        (401, {"detail": "no"}, 3),
        (500, {"detail": "no"}, 3),
        (404, {"detail": "no such environment"}, 2),
    ],
    ids=str,
)
def test_what_is_no_verdict_never_passes(home: Path, status: int, answer: Any, code: int) -> None:
    ended, _ = asked(home, status, answer, "--json", "--on-unknown", "warn")
    assert (ended.exit_code, ended.output) == (code, "")


def test_all_that_was_asked_goes_with_the_question(home: Path) -> None:
    (home / "ours.toml").write_text(
        '[[rule]]\nmatch = "os"\nreason = "why"\nexpires = 2037-03-01\n[severity]\n"os" = "low"\n'
    )
    _, question = asked(
        home, 200, PARITY, "--app", "shop", "--fail-on", "HIGH", "--min-coverage", "95%", "--max-age", "6h",
        "--new-only", "--declared", lock(home, idna="3.7"), "--rules", "ours.toml", "--repository", "shop/web",
        "--ref", "main", "--commit", "c0ffee", "--link", "https://ci.example/41",
    )  # fmt: skip
    subject, (declared,) = question.pop("fingerprint"), question.pop("declared")
    assert subject["target"] == {"kind": "python", "name": str(home / "shop")}
    assert declared["target"] == {"kind": "declared", "name": "requirements.txt"}
    assert question == {
        "against": "env:prod", "app": "shop", "only": "", "fail_on": "high", "min_coverage": 95, "max_age": 21600,
        "new_only": True,
        "rules": [{"match": "os", "hosts": "", "reason": "why", "owner": "", "expires": "2037-03-01T00:00:00+00:00",
                   "severity": None}],
        "severity": [{"match": "os", "severity": "low"}],
        "origin": {"repository": "shop/web", "ref": "main", "commit": "c0ffee", "link": "https://ci.example/41"},
    }  # fmt: skip


def test_the_origin_is_the_pipeline_s_where_nothing_is_given(home: Path) -> None:
    variables = {"GITLAB_CI": "true", "CI_PROJECT_PATH": "shop/web", "CI_COMMIT_REF_NAME": "topic"}
    _, question = asked(home, 200, PARITY, **variables)
    assert question["origin"] == {"repository": "shop/web", "ref": "topic", "commit": "", "link": ""}
    assert "max_age" not in question


def test_a_server_that_does_not_look_at_the_age_of_the_reference_is_not_believed(home: Path) -> None:
    old = {name: value for name, value in PARITY.items() if name != "verb"}
    assert asked(home, 200, old)[0].exit_code == 0
    ended, _ = asked(home, 200, old, "--max-age", "6h")
    assert (ended.exit_code, ended.output) == (3, "")
    assert "this server does not look at --max-age" in ended.complaint


UNREAD = {**PARITY, "verdict": "unknown", "reasons": ["containers: here: failed(unreachable)"]}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({**UNREAD, "doubts": []}, 0),
        ({**UNREAD, "doubts": ["web-3 is stale"]}, 3),
        (UNREAD, 3),
        ({**PARITY, "verdict": "drift", "differences": [DIFFERENCE], "doubts": []}, 1),
    ],
    ids=["coverage", "doubt", "an older server's", "drift"],
)
def test_a_pipeline_that_is_only_warned_goes_on_for_want_of_coverage_alone(
    home: Path, answer: dict[str, Any], code: int
) -> None:
    ended, _ = asked(home, 200, answer, "--on-unknown", "warn")
    assert ended.exit_code == code
    assert ("--on-unknown warn" in ended.complaint) == (code == 0)
    assert ended.output.splitlines()[-1] == f"exit {code}"
    assert ended.output.startswith(f"{answer['verdict']}: ")


def test_a_gate_needs_no_web_and_no_database_library_and_loads_none_that_compares(home: Path) -> None:
    told = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))"
    (home / "sitecustomize.py").write_text(told)
    with answering(lambda *_: (200, PARITY)) as server:
        ended = lean(
            *("gate", "--target", home / "shop", "--against", "env:prod", "--server", server.url), without=HEAVY,
            **TOKEN, PYTHONPATH=f"{home}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    loaded = set(ended.stderr.split())
    assert "envparity_server.cli.gate" in loaded
    assert not loaded & {"deepdiff", "docker", "pip_requirements_parser", "apscheduler", "requests"}


def test_without_a_server_a_lean_install_judges_as_well(home: Path) -> None:
    ended = lean("gate", "--target", home / "shop", "--against", home / lock(home, idna="3.4", flask="3.0"),
                 without=HEAVY)  # fmt: skip
    assert ended.returncode == 0, ended.stderr


def test_without_a_server_an_environment_is_judged_by_its_lock(home: Path) -> None:
    same = gate(home, lock(home, idna="3.4", flask="3.0"))
    assert (same.exit_code, same.output.splitlines()[0].partition(":")[0]) == (0, "parity"), same.complaint
    other = gate(home, lock(home, idna="3.7", flask="3.0"))
    assert other.exit_code == 1
    assert "idna 3.7 → 3.4" in other.output.splitlines()[0]
    assert other.output.splitlines()[-1] == "exit 1"


def test_a_fingerprint_is_a_reference(home: Path) -> None:
    environment(home, "prod", idna="3.7", flask="3.0")
    kept = envparity(home, "show", "prod", "--json")
    (home / "prod.json").write_text(kept.output)
    for against in ("prod.json", "prod"):
        ended = gate(home, against, "--json")
        found = ended.document
        assert (ended.exit_code, found["verdict"], found["against"]) == (1, "drift", against)
        assert [(one["item"], one["words"]) for one in found["differences"]] == [("idna", "3.7 → 3.4")]


def test_what_a_lock_declares_is_meant_and_is_found_in_it(home: Path) -> None:
    environment(home, "prod", idna="3.7", flask="3.1")
    declared = ("--declared", lock(home, idna="3.4"))
    ended = gate(home, "prod", *declared, "--json")
    found = ended.document
    assert (ended.exit_code, [one["item"] for one in found["differences"]]) == (1, ["flask"])
    assert [(one["item"], one["standing"], one["place"]) for one in found["accounted"]] == [
        ("idna", "declared", {"file": "requirements.txt", "line": 1})
    ]
    assert gate(home, "prod", "--declared", lock(home, idna="3.4", flask="3.0")).exit_code == 0


def test_the_place_is_in_whichever_file_says_it(home: Path) -> None:
    found = gate(home, lock(home, flask="3.0", idna="3.7"), "--json").document
    assert [one["place"] for one in found["differences"]] == [{"file": "requirements.txt", "line": 2}]


def test_only_what_is_new_fails_where_an_accepted_run_is_given(home: Path) -> None:
    against = lock(home, idna="3.7", flask="3.0")
    first = gate(home, against, "-o", "json=accepted.json")
    assert first.exit_code == 1
    again = gate(home, against, "--new-only", "--accepted", "accepted.json", "--json")
    assert again.exit_code == 0, again.complaint
    assert [one["standing"] for one in again.document["accounted"]] == ["known"]
    environment(home, "shop", idna="3.4", flask="9.9")
    more = gate(home, against, "--new-only", "--accepted", "accepted.json", "--json")
    assert (more.exit_code, [one["item"] for one in more.document["differences"]]) == (1, ["flask"])


def test_too_little_that_could_be_compared_is_unknown_or_a_warning(home: Path) -> None:
    unread = section("containers", {}, Status.FAILED, Reason.UNREACHABLE)
    for name, containers in (("here", unread), ("prod", ENGINE)):
        made = host(OPERATING_SYSTEM, SEARCHED, packages({"idna": "3.4"}), containers)
        (home / f"{name}.json").write_text(json.dumps(made.document()))
    question = ("gate", "--target", "here.json", "--against", "prod.json")
    failed = envparity(home, *question)
    assert (failed.exit_code, failed.output.splitlines()[-1]) == (3, "exit 3")
    warned = envparity(home, *question, "--on-unknown", "warn")
    assert (warned.exit_code, warned.output.splitlines()[-1]) == (0, "exit 0")
    assert warned.output.startswith("unknown: ")
    assert "--on-unknown warn" in warned.complaint
    nothing = envparity(home, *question, "--on-unknown", "warn", "--only", "container")
    assert nothing.exit_code == 3


def test_a_reference_that_is_too_old_cannot_tell(home: Path) -> None:
    prod = host(packages({"idna": "3.4"}, "python/shop"))
    (home / "old.json").write_text(json.dumps(prod.document()))
    ended = envparity(
        home, "gate", "--target", "old.json", "--against", "old.json", "--max-age", "6h", "--on-unknown", "warn"
    )
    assert ended.exit_code == 3
    assert "old.json" in ended.output.splitlines()[0]
    assert envparity(home, "gate", "--target", "old.json", "--against", "old.json").exit_code == 0


def test_several_formats_at_once(home: Path) -> None:
    against = lock(home, idna="3.7", flask="3.0")
    formats = ("json", "markdown", "html", "sarif", "junit", "gitlab", "csv")
    ended = gate(home, against, "-o", "text", "-o", "github", *(f"-o{one}=out.{one}" for one in formats))
    assert ended.exit_code == 1
    assert ended.output.startswith("drift: ")
    assert "::error" in ended.output
    assert all("idna" in (home / f"out.{one}").read_text() for one in formats)


@pytest.mark.parametrize(
    ("arguments", "told", "advice"),
    [
        (("evn:prod",), "'evn:prod' is not a selector", "a selector is env:prod"),
        (("env:",), "'env:' is not a selector", "a selector is env:prod"),
        (("env:prod@tomorow",), "'tomorow' is not a moment", "a moment is"),
        (("missing.lock",), "missing.lock: no such target", "a target is"),
        (("shop", "--fail-on", "severe"), "--fail-on severe is no severity", "severities: info"),
        (("shop", "--only", "pyhton"), "pyhton is no kind of section", "kinds: "),
        (("shop", "--only", "os", "--app", "x"), "--only and --app exclude each other", "give one"),
        (("shop", "--min-coverage", "200%"), "--min-coverage 200% is no share", "--min-coverage 95%"),
        (("shop", "--max-age", "soon"), "--max-age soon is no time", "--max-age 6h"),
        (("shop", "--on-unknown", "pass"), "--on-unknown pass is not known", "fail or warn"),
        (("shop", "-o", "pdf"), "pdf is no format", "formats: text"),
        (("shop", "--link", "ci.example"), "ci.example is no http:// or https:// address", "--link URL"),
        (("shop", "--declared", "missing.lock"), "missing.lock: no such file", "--declared takes"),
        (("shop", "--declared", "shop"), "shop: no such file", "--declared takes"),
        (("shop", "--declared", "broken.lock"), "broken.lock, line 1", ""),
        (("shop", "--declared", "whole.json"), "declares nothing", "--declared takes"),
        (("shop", "--new-only"), "--new-only needs an accepted run", "--new-only --accepted FILE"),
        (("shop", "--accepted", "missing.json"), "cannot read missing.json", "envparity gate -o json=FILE"),
        (("shop", "--accepted", "whole.json"), "whole.json is not the JSON of a gate", "envparity gate -o json=FILE"),
        (("shop", "--accepted", "broken.lock"), "broken.lock is not the JSON", "envparity gate -o json=FILE"),
        (
            ("env:prod", "--accepted", "accepted.json"),
            "the server keeps its accepted runs itself",
            "without --accepted",
        ),
        (("env:prod",), "no server", "--server URL"),
        (("shop", "--rules", "ours.toml"), "ours.toml, line 1: the rule has no reason", ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_question_is_refused_with_what_to_do(
    home: Path, arguments: tuple[str, ...], told: str, advice: str
) -> None:
    (home / "broken.lock").write_text("[[package]\n")
    (home / "ours.toml").write_text('[[rule]]\nmatch = "os"\n')
    (home / "whole.json").write_text(json.dumps(fingerprint(str(home / "shop"), Options()).document()))
    (home / "accepted.json").write_text(json.dumps(PARITY))
    refused(gate(home, *arguments), told, advice)


@pytest.fixture
def fleet(sqlite: Engine, home: Path) -> Iterator[Mapping[str, str]]:
    """The settings of a pipeline; hosts of prod and a stale one have what is here, and one never reported."""
    now = datetime.now(UTC)
    [found] = [one for one in fingerprint(str(home / "shop"), Options()).sections.values() if one.kind == "python"]
    ran = host(OPERATING_SYSTEM, SEARCHED, ENGINE, replace(found, path="python/shop"))
    like = replace(ran, taken_at=now.isoformat())
    with writing(sqlite) as connection:
        for name, environment, moment in (
            ("web-1", "prod", now), ("web-2", "prod", now), ("old-1", "old", now - timedelta(days=2)),
        ):  # fmt: skip
            report(connection, enrolled(connection, name, environment), like, moment)
        enrolled(connection, "silent", "staging")
    api = Asking(create_app(sqlite), sqlite)
    token = api.as_role("ci").headers["Authorization"].removeprefix("Bearer ")
    with served(api) as address:
        yield {"ENVPARITY_SERVER": address, "ENVPARITY_TOKEN": token}


def test_a_pipeline_s_token_is_enough_for_a_verdict(home: Path, fleet: Mapping[str, str]) -> None:
    same = gate(home, "env:prod#python/shop", "--max-age", "1h", **fleet)
    assert same.exit_code == 0, same.output + same.complaint
    environment(home, "shop", idna="3.7", flask="3.0")
    other = gate(home, "env:prod#python/shop", **fleet)
    assert other.exit_code == 1
    assert "idna 3.4 → 3.7" in other.output.splitlines()[0]
    declared = gate(home, "env:prod#python/shop", "--declared", lock(home, idna="3.7"), **fleet)
    assert declared.exit_code == 0, declared.output
    assert "1 declared" in declared.output


@pytest.mark.parametrize(
    ("against", "code", "told"),
    [
        ("env:prdo#python/shop", 2, "env:prdo#python/shop: never seen"),
        ("env:prdo#python/shop", 2, "did you mean env:prod?"),
        ("env:prod#python/shp", 2, "no section python/shp"),
        ("host:web-9", 2, "no host web-9"),
        ("baseline:shop", 2, "no baseline shop"),
        ("env:staging", 3, "no report yet from silent"),
        ("env:prod,role=mail", 3, "no host is in it"),
        ("env:old#python/shop", 3, "old-1 (last seen "),
    ],
)
def test_a_misspelt_reference_is_a_wrong_question_and_a_silent_one_cannot_tell(
    home: Path, fleet: Mapping[str, str], against: str, code: int, told: str
) -> None:
    ended = gate(home, against, "--on-unknown", "warn", **fleet)
    assert ended.exit_code == code
    assert told in (ended.complaint if code == 2 else ended.output)


def test_a_server_that_cannot_be_reached_cannot_tell(home: Path) -> None:
    ended = gate(home, "env:prod", "--server", "http://127.0.0.1:9", "--on-unknown", "warn", **TOKEN)
    assert (ended.exit_code, ended.output) == (3, "")
    assert "cannot reach http://127.0.0.1:9" in ended.complaint
