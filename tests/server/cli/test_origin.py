"""Tests of where a gate's run is said to come from."""

import subprocess
from pathlib import Path

import pytest

from envparity_agent.errors import UsageError
from envparity_server.cli.origin import Origin, of_checkout, origin
from tests.system.components import GIT, require

GITHUB = {
    "GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "shop/web", "GITHUB_REF_NAME": "main", "GITHUB_SHA": "c0ffee",
    "GITHUB_SERVER_URL": "https://git.example", "GITHUB_RUN_ID": "41",
}  # fmt: skip
GITLAB = {
    "GITLAB_CI": "true", "CI_PROJECT_PATH": "shop/web", "CI_COMMIT_REF_NAME": "main", "CI_COMMIT_SHA": "c0ffee",
    "CI_JOB_URL": "https://git.example/shop/web/-/jobs/41",
}  # fmt: skip


def checkout(directory: Path, remote: str = "") -> str:
    """A repository with one commit on main; returns the commit."""
    git = (require(GIT), "-C", directory, "-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    if remote:
        subprocess.run([*git, "remote", "add", "origin", remote], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    return subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


def test_a_run_of_github_is_told_by_its_variables(tmp_path: Path) -> None:
    found = origin(Origin(), GITHUB, str(tmp_path))
    assert found == Origin("shop/web", "main", "c0ffee", "https://git.example/shop/web/actions/runs/41")
    assert origin(Origin(), {**GITHUB, "GITHUB_HEAD_REF": "topic"}, str(tmp_path)).ref == "topic"


def test_a_job_of_gitlab_is_told_by_its_variables(tmp_path: Path) -> None:
    found = origin(Origin(), GITLAB, str(tmp_path))
    assert found == Origin("shop/web", "main", "c0ffee", "https://git.example/shop/web/-/jobs/41")
    assert origin(Origin(), {**GITLAB, "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "topic"}, str(tmp_path)).ref == "topic"


def test_what_is_given_wins_over_the_pipeline(tmp_path: Path) -> None:
    given = Origin(ref="v1.5", link="https://ci.example/41")
    assert origin(given, GITHUB, str(tmp_path)) == Origin("shop/web", "v1.5", "c0ffee", "https://ci.example/41")


@pytest.mark.parametrize("name", ["GITHUB_ACTIONS", "GITLAB_CI"])
def test_a_pipeline_without_its_variables_tells_nothing(name: str, tmp_path: Path) -> None:
    assert origin(Origin(), {name: "true"}, str(tmp_path)) == Origin()


@pytest.mark.parametrize(
    ("remote", "repository"),
    [
        ("https://ada:secret@git.example/shop/web.git", "shop/web"),
        ("git@git.example:shop/web.git", "shop/web"),
        ("ssh://git@git.example:2222/shop/web", "shop/web"),
        ("", "here"),
        ("hg::https://git.example/secret", "here"),
        ("git.example:shop/web.git", "shop/web"),
        ("../srv/web.git", "web"),
        ("/srv/git/web.git/", "web"),
    ],
)
def test_a_checkout_is_told_by_its_remote_and_head(remote: str, repository: str, tmp_path: Path) -> None:
    (tmp_path / "here" / "below").mkdir(parents=True)
    commit = checkout(tmp_path / "here", remote)
    assert of_checkout(str(tmp_path / "here" / "below")) == Origin(repository, "main", commit)


def test_without_a_checkout_nothing_is_told(tmp_path: Path) -> None:
    assert of_checkout(str(tmp_path)) == Origin()


def test_a_checkout_that_cannot_be_read_tells_nothing(tmp_path: Path) -> None:
    checkout(tmp_path)
    (tmp_path / ".git/HEAD").write_text("nonsense")
    assert of_checkout(str(tmp_path)) == Origin()


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "ci.example/41", "file:///etc/passwd", "https:", "https://a b"]
)
def test_a_link_is_an_address_of_the_web(link: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no http:// or https:// address"):
        origin(Origin(link=link), {}, str(tmp_path))
