"""Tests of `envparity ci init`: what it writes is valid, is what the examples show, and runs as far as that goes."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine

from envparity_agent.collectors.interface import Options
from envparity_agent.fingerprint import Section
from envparity_agent.targets import fingerprint
from envparity_server.app import create_app
from envparity_server.cli.ci import PIPELINES
from envparity_server.storage import deploys
from envparity_server.storage.database import reading, writing
from tests.agent.wheels import pip_environment, pip_install, wheel
from tests.forking import PROGRAM
from tests.server.asking import Asking
from tests.server.cli.running import environment, envparity
from tests.server.cli.served import served
from tests.server.fleet import enrolled, report
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host
from tests.system.components import GIT, require

EXAMPLES = Path(__file__).parents[3] / "examples"
SHOWN = {"github": "github-gate.yml", "gitlab": "gitlab-gate.yml", "pre-commit": "pre-commit-gate.yaml"}
SCHEMAS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}


@pytest.mark.parametrize("kind", PIPELINES)
def test_it_writes_the_file_and_says_what_to_do_next(kind: str, tmp_path: Path) -> None:
    ended = envparity(tmp_path, "ci", "init", kind)
    assert (ended.exit_code, ended.output) == (0, f"{PIPELINES[kind].file}\n"), ended.complaint
    assert (tmp_path / PIPELINES[kind].file).read_text() == PIPELINES[kind].text()
    assert "next:" in ended.complaint
    if kind != "pre-commit":
        for said in ("envparity server token ci", "ENVPARITY_TOKEN", "ENVPARITY_SERVER"):
            assert said in ended.complaint


@pytest.mark.parametrize("kind", PIPELINES)
def test_it_never_writes_over_a_file_unless_it_is_told_to(kind: str, tmp_path: Path) -> None:
    file = tmp_path / PIPELINES[kind].file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("ours\n")
    refused = envparity(tmp_path, "ci", "init", kind)
    assert (refused.exit_code, file.read_text()) == (2, "ours\n")
    assert "is there already" in refused.complaint
    assert "--print" in refused.complaint
    assert envparity(tmp_path, "ci", "init", kind, "--force").exit_code == 0
    assert file.read_text() == PIPELINES[kind].text()


def test_what_is_used_in_the_project_is_written_by_default(tmp_path: Path) -> None:
    refused = envparity(tmp_path, "ci", "init")
    assert (refused.exit_code, "no pipeline is used here" in refused.complaint) == (2, True)
    (tmp_path / ".github").mkdir()
    assert envparity(tmp_path, "ci", "init").output == ".github/workflows/envparity.yml\n"
    (tmp_path / ".gitlab-ci.yml").touch()
    refused = envparity(tmp_path, "ci", "init")
    assert (refused.exit_code, "several pipelines are used here" in refused.complaint) == (2, True)


def test_an_unknown_pipeline_is_a_wrong_question(tmp_path: Path) -> None:
    refused = envparity(tmp_path, "ci", "init", "jenkins")
    assert (refused.exit_code, list(tmp_path.glob(".*"))) == (2, [])
    assert "envparity ci init github | gitlab | pre-commit" in refused.complaint


def test_a_directory_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / ".github").touch()
    refused = envparity(tmp_path, "ci", "init", "github")
    assert (refused.exit_code, "cannot write" in refused.complaint) == (2, True)


@pytest.mark.parametrize("kind", PIPELINES)
def test_it_prints_what_the_examples_show(kind: str, tmp_path: Path) -> None:
    printed = envparity(tmp_path, "ci", "init", kind, "--print").output
    assert printed == (EXAMPLES / SHOWN[kind]).read_text()
    assert list(tmp_path.glob(".g*")) == []


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_examples_are_valid_by_the_schema_of_their_service(kind: str) -> None:
    checking = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[kind], EXAMPLES / SHOWN[kind])
    checked = subprocess.run(checking, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@dataclass(frozen=True)
class Job:
    """A project in a pipeline, with a server to ask."""

    project: Path
    variables: Mapping[str, str]
    server: Asking

    def run(self, line: str) -> "subprocess.CompletedProcess[str]":
        """One line of a job, as the service's shell runs it."""
        return subprocess.run(
            ["/bin/bash", "-e", "-o", "pipefail", "-c", line],
            cwd=self.project, env=dict(self.variables), capture_output=True, text=True, check=False,
        )  # fmt: skip

    def deploys(self) -> list[tuple[str, bool]]:
        """The name of each deploy that was told, and whether it is over."""
        with reading(self.server.engine) as connection:
            return [(one.name, one.ended_at is not None) for one in deploys.listed(connection)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the project needs, as a wheel."""
    return wheel(tmp_path_factory.mktemp("shop") / "wheels")


@pytest.fixture(scope="module")
def running(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Section:
    """What runs on prod's web hosts."""
    prod = pip_environment(tmp_path_factory.mktemp("prod"))
    pip_install(prod, prod, shop)
    [found] = [one for one in fingerprint(str(prod), Options()).sections.values() if one.kind == "python"]
    return replace(found, path="python/shop")


@pytest.fixture
def job(sqlite: Engine, tmp_path: Path, shop: Path, running: Section) -> Iterator[Job]:
    """A project whose requirements are what prod's web hosts have, on a machine without a network."""
    project, programs = tmp_path / "project", tmp_path / "programs"
    project.mkdir()
    programs.mkdir()
    (project / "requirements.txt").write_text("shop==1.0\n")
    for program in (programs / "pipx", programs / "pip", project / "deploy.sh"):  # what the line would install is here
        program.write_text("#!/bin/sh\nexit 0\n")
        program.chmod(stat.S_IRWXU)
    now = datetime.now(UTC)
    ran = host(OPERATING_SYSTEM, SEARCHED, ENGINE, running)
    with writing(sqlite) as connection:
        there = enrolled(connection, "web-1", labels={"role": "web"})
        report(connection, there, replace(ran, taken_at=now.isoformat()), now)
    api = Asking(create_app(sqlite), sqlite)
    token = api.as_role("ci").headers["Authorization"].removeprefix("Bearer ")
    with served(api) as address:
        variables = {
            **environment(tmp_path),
            "PATH": f"{programs}:{PROGRAM.parent}:/usr/bin:/bin",
            "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shop.parent), "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "ENVPARITY_SERVER": address, "ENVPARITY_TOKEN": token, "CI_COMMIT_SHORT_SHA": "c0ffee",
            "CI_JOB_URL": "https://git.example/shop/web/-/jobs/41", "GITHUB_ACTIONS": "true", "GITHUB_SHA": "c0ffee",
            "GITHUB_SERVER_URL": "https://git.example", "GITHUB_REPOSITORY": "shop/web", "GITHUB_RUN_ID": "41",
        }  # fmt: skip
        yield Job(project, variables, api)


def lines(kind: str) -> list[str]:
    """The lines that the jobs of an example run, in their order."""
    document: dict[str, Any] = yaml.safe_load((EXAMPLES / SHOWN[kind]).read_text())
    if kind == "github":
        return [step["run"] for job in document["jobs"].values() for step in job["steps"] if "run" in step]
    jobs = [{**document.get(one.get("extends"), {}), **one} for name, one in document.items() if name[0] != "."]
    return [line for one in jobs for key in ("before_script", "script", "after_script") for line in one.get(key, ())]


@pytest.mark.parametrize(("kind", "written"), [("github", ("envparity.sarif",)),
                                               ("gitlab", ("gl-code-quality.json", "envparity.xml"))])  # fmt: skip
def test_the_jobs_of_the_examples_run_against_a_server(kind: str, written: tuple[str, ...], job: Job) -> None:
    for line in lines(kind):
        ended = job.run(line)
        assert ended.returncode == 0, f"{line}\n{ended.stdout}{ended.stderr}"
    assert all((job.project / name).read_bytes() for name in written)
    assert job.deploys() == [("shop c0ffee", True)]


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_the_gate_of_the_examples_stops_what_nobody_declared(kind: str, job: Job) -> None:
    [made] = [line for line in lines(kind) if "-m venv" in line]
    [gate] = [line for line in lines(kind) if line.startswith("envparity gate")]
    assert job.run(made).returncode == 0
    [metadata] = job.project.glob(".venv/lib/python*/site-packages/shop-1.0.dist-info/METADATA")
    metadata.write_text(metadata.read_text().replace("Version: 1.0", "Version: 2.0"))
    ended = job.run(gate)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "shop 1.0 → 2.0" in ended.stdout


def test_the_hook_of_the_example_holds_back_a_push(job: Job) -> None:
    git = (require(GIT), "-C", job.project, "-c", "user.name=a", "-c", "user.email=a@example.org")
    (job.project / ".pre-commit-config.yaml").write_text((EXAMPLES / SHOWN["pre-commit"]).read_text())
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*git, "add", ".pre-commit-config.yaml"], check=True)
    hook = f"'{sys.executable}' -m pre_commit run --hook-stage pre-push --all-files --verbose"
    there = job.run("python3 -m venv --without-pip .venv && python3 -m pip --python .venv/bin/python install -q shop")
    assert there.returncode == 0, there.stderr
    kept = replace(job, variables={**job.variables, "PRE_COMMIT_HOME": str(job.project / "hooks"), "HOME": os.devnull})
    passed = kept.run(hook)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    (job.project / "requirements.txt").write_text("shop==2.0\n")
    held = kept.run(hook)
    assert (held.returncode, "exit code: 1" in held.stdout) == (1, True), held.stdout + held.stderr


def test_what_the_examples_write_for_their_service_is_what_the_service_is_told_of() -> None:
    document = yaml.safe_load((EXAMPLES / SHOWN["gitlab"]).read_text())
    reports = document["parity"]["artifacts"]["reports"]
    [gate] = [line for line in lines("gitlab") if line.startswith("envparity gate")]
    assert {f"gitlab={reports['codequality']}", f"junit={reports['junit']}"} <= set(gate.split())
    workflow = json.dumps(yaml.safe_load((EXAMPLES / SHOWN["github"]).read_text()))
    assert workflow.count("envparity.sarif") == 3
