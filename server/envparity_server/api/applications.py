"""Applications: what ties code, a Python environment and containers of one name together, over all hosts."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import Field

from envparity_agent.fingerprint import Attributes, SectionLike, Target, in_words
from envparity_agent.kinds import CODE_ITEM, INTERPRETER_ITEM
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.lists import Answer, Limit, Offset
from envparity_server.api.problems import Problem
from envparity_server.api.roles import Acting
from envparity_server.drift.pivot import body_of
from envparity_server.drift.shares import Share, shares
from envparity_server.storage import applications, content, hosts
from envparity_server.storage.content import StoredFingerprint, StoredSection
from envparity_server.storage.database import reading
from envparity_server.storage.hosts import Host

router = APIRouter(prefix="/api/v1/applications", tags=["applications"])

_MOST_DIFFERENCES = 50  # told of one environment; how many there are is told beside them


class ApplicationEntry(Answer):
    """An application, and where it is."""

    name: str = Field(examples=["shop"])
    sections: list[str] = Field(examples=[["app/shop", "container/shop.web", "python/shop"]])
    environments: dict[str, int] = Field(description="How many hosts have it.", examples=[{"prod": 12, "test": 2}])


class ApplicationList(Answer):
    """Applications by name."""

    applications: list[ApplicationEntry]
    total: int


class Code(Answer):
    """What is checked out or shipped."""

    section: str
    status: str = Field(description="How much of it could be read.", examples=["ok"])
    commit: str | None
    dirty: bool | None = Field(description="There are changes that are in no commit.")
    tree: str | None = Field(description="Hash over all files, where there is no commit.")


class PythonEnvironment(Answer):
    """The interpreter and how many packages it has."""

    section: str
    status: str
    interpreter: str | None = Field(examples=["cpython 3.11.2"])
    packages: int


class Container(Answer):
    """What a container runs."""

    section: str
    status: str
    reference: str | None = Field(description="The image as it was declared.", examples=["docker.io/library/shop:4.2"])
    image: str | None = Field(description="Digest of the image that runs.")


class HostEntry(Answer):
    """The application on one host."""

    host: str
    name: str
    state: str = Field(examples=["fresh"])
    code: Code | None
    python: PythonEnvironment | None
    containers: list[Container]


class Unlike(Answer):
    """An item on which the hosts of an environment do not agree."""

    section: str
    item: str | None = Field(description="None: the whole section, which some do not have.")
    values: dict[str, int] = Field(description="Value -> how many hosts.", examples=[{"3.4": 1, "3.7": 11}])


class EnvironmentEntry(Answer):
    """The application in one environment."""

    environment: str
    agrees: bool | None = Field(description="Whether its fresh hosts have the same; null where one could not be read.")
    differing: int = Field(description="On how many items they do not agree.")
    differences: list[Unlike] = Field(description=f"The first {_MOST_DIFFERENCES} of them.")
    hosts: list[HostEntry]


class ApplicationAnswer(Answer):
    """One application over all environments."""

    name: str
    environments: list[EnvironmentEntry]


@router.get("")
def list_applications(
    request: Request,
    actor: Acting,
    limit: Limit = 100,
    offset: Offset = 0,
) -> ApplicationList:
    """Every application: a name that code, a Python environment or containers of hosts have."""
    with reading(engine_of(request)) as connection:
        every = applications.every(connection, actor.environments)
    shown = [
        ApplicationEntry(name=one.name, sections=list(one.sections), environments=dict(one.environments))
        for one in every[offset : offset + limit]
    ]
    return ApplicationList(applications=shown, total=len(every))


@router.get("/{name}")
def show_application(
    request: Request, actor: Acting, name: Annotated[str, Path(max_length=255, examples=["shop"])]
) -> ApplicationAnswer:
    """One application: on each host its code, its interpreter and its images, and whether hosts agree."""
    moment = now()
    with reading(engine_of(request)) as connection:
        trees, paths = applications.sections(connection, name, actor.environments) if "\0" not in name else ({}, set())
        if not trees:
            raise Problem(HTTPStatus.NOT_FOUND, f"no application {name}", "list them: GET /api/v1/applications")
        stored = content.stored(connection, trees)
        content.open_differing(stored.values(), whole=False)
        having = [one for one in hosts.all_hosts(connection, actor.environments) if one.id in stored]
        by_environment: dict[str, list[Host]] = {}
        for one in having:
            by_environment.setdefault(one.environment, []).append(one)
        found = [
            _environment(environment, members, stored, paths, moment)
            for environment, members in sorted(by_environment.items())
        ]
    return ApplicationAnswer(name=name, environments=found)


def _environment(
    environment: str,
    members: Iterable[Host],
    stored: Mapping[str, Mapping[str, StoredSection]],
    paths: Iterable[str],
    moment: datetime,
) -> EnvironmentEntry:
    everyone = list(members)
    lasting = [one for one in everyone if one.state(moment) == "fresh" and not one.ephemeral] or everyone
    votes = {one.id: StoredFingerprint(Target("host", one.name), "", stored[one.id]) for one in lasting}
    counted = [shares(votes, path) for path in sorted(paths)]
    unlike = [one for each in counted for one in each.shares]
    unread = any(each.unread for each in counted)
    return EnvironmentEntry(
        environment=environment,
        agrees=False if unlike else None if unread else True,
        differing=len(unlike),
        differences=[_unlike(one) for one in unlike[:_MOST_DIFFERENCES]],
        hosts=[_host(one, stored[one.id], paths, moment) for one in everyone],
    )


def _unlike(one: Share) -> Unlike:
    return Unlike(
        section=one.section, item=one.item or None, values={stand.value: len(stand.hosts) for stand in one.stands}
    )


def _host(one: Host, sections: Mapping[str, SectionLike], paths: Iterable[str], moment: datetime) -> HostEntry:
    own = [sections[path] for path in sorted(paths) if path in sections]
    by_kind = {kind: [each for each in own if each.kind == kind] for kind in ("application", "python", "container")}
    return HostEntry(
        host=one.id,
        name=one.name,
        state=one.state(moment),
        code=next(map(_code, by_kind["application"]), None),
        python=next(map(_python, by_kind["python"]), None),
        containers=[_container(each) for each in by_kind["container"]],
    )


def _code(section: SectionLike) -> Code:
    body = _body(section, CODE_ITEM)
    dirty = body.get("dirty")
    return Code(
        section=section.path,
        status=in_words(section),
        commit=_text(body, "commit") or _text(body, "revision"),
        dirty=dirty if isinstance(dirty, bool) else None,
        tree=_text(body, "tree"),
    )


def _python(section: SectionLike) -> PythonEnvironment:
    body = _body(section, INTERPRETER_ITEM)
    words = " ".join(filter(None, (_text(body, "implementation"), _text(body, "version"))))
    return PythonEnvironment(
        section=section.path,
        status=in_words(section),
        interpreter=words or None,
        packages=section.count - bool(body),
    )


def _container(section: SectionLike) -> Container:
    body = _body(section, "image")
    return Container(
        section=section.path,
        status=in_words(section),
        reference=_text(body, "reference"),
        image=_text(body, "manifest") or _text(body, "config"),
    )


def _body(section: SectionLike, item: str) -> Attributes:
    return body_of(section, item) or {}


def _text(body: Attributes, name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) else None
