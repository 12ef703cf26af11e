"""Where a gate's run comes from: repository, ref, commit and link, from flags, the pipeline, or the checkout here."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace

from envparity_agent.collectors.code.git import without_credentials
from envparity_agent.collectors.code.repository import places
from envparity_agent.collectors.redaction import HIDDEN
from envparity_agent.errors import Unreadable, UsageError
from envparity_agent.root import Root

Variables = Mapping[str, str]

_WEB = re.compile(r"https?://[^\x00\s]{1,1000}")  # what the server takes


@dataclass(frozen=True)
class Origin:
    """Where a run comes from; what is not known is empty."""

    repository: str = ""  # by the path that it has wherever it is hosted: shop/web
    ref: str = ""
    commit: str = ""
    link: str = ""

    def document(self) -> dict[str, str]:
        """The origin as a gate sends it."""
        return asdict(self)


def origin(given: Origin, variables: Variables, directory: str) -> Origin:
    """What is given, and for the rest what the pipeline's variables say, else the checkout that a directory is in.

    Raises UsageError for a link that is no address of the web.
    """
    if given.link and not _WEB.fullmatch(given.link):
        raise UsageError(f"{given.link} is no http:// or https:// address", "give the address of the run: --link URL")
    read = next((read for name, read in PIPELINES.items() if variables.get(name) == "true"), None)
    found = read(variables) if read else of_checkout(directory)
    known = {one.name: getattr(given, one.name) for one in fields(given) if getattr(given, one.name)}
    return replace(found, **known)


def _of_github(variables: Variables) -> Origin:
    """https://docs.github.com/en/actions/reference/workflows-and-actions/variables."""
    repository, run = variables.get("GITHUB_REPOSITORY", ""), variables.get("GITHUB_RUN_ID", "")
    server = variables.get("GITHUB_SERVER_URL", "")
    return Origin(
        repository,
        variables.get("GITHUB_HEAD_REF") or variables.get("GITHUB_REF_NAME", ""),
        variables.get("GITHUB_SHA", ""),
        f"{server}/{repository}/actions/runs/{run}" if server and repository and run else "",
    )


def _of_gitlab(variables: Variables) -> Origin:
    """https://docs.gitlab.com/ci/variables/predefined_variables/."""
    return Origin(
        variables.get("CI_PROJECT_PATH", ""),
        variables.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME") or variables.get("CI_COMMIT_REF_NAME", ""),
        variables.get("CI_COMMIT_SHA", ""),
        variables.get("CI_JOB_URL", ""),
    )


PIPELINES: Mapping[str, Callable[[Variables], Origin]] = {"GITHUB_ACTIONS": _of_github, "GITLAB_CI": _of_gitlab}


def of_checkout(directory: str) -> Origin:
    """The checkout that a directory is in; nothing where there is none, or it cannot be read."""
    try:
        with Root("/") as root:
            repository = places.find(root, os.path.abspath(directory))
            if repository is None:
                return Origin()
            head = places.head(repository)
    except Unreadable:
        return Origin()
    address = without_credentials(repository.settings.get("remote.origin.url", ""))
    name = _hosted(address) or os.path.basename(repository.top)
    return Origin(name, head.branch or "", head.commit or "")


def _hosted(address: str) -> str:
    """The path of a repository below its host: shop/web of git@git.example:shop/web.git; of a directory, its name."""
    if HIDDEN in address:
        return ""
    host, separator, path = address.partition("://")
    if separator:
        _, _, path = path.partition("/")
    else:
        host, separator, path = address.partition(":")
    return (path if separator else os.path.basename(host.rstrip("/"))).strip("/").removesuffix(".git")
