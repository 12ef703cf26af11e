"""What the resources of the API share: how lists are asked for, what a name may be, and what answers are."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from envparity_server.api.problems import Problem
from envparity_server.storage.actors import Environments

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"  # what a selector can say: environments, keys and values of labels

Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
Offset = Annotated[int, Query(ge=0, lt=2**31, description="How many to skip.")]
Text = Annotated[str, Query(max_length=1024)]

Name = Annotated[str, StringConstraints(pattern=NAME)]
Scope = Annotated[list[Name] | None, Field(max_length=1000, description="Names of environments; null for all of them.")]


class Answer(BaseModel):
    """What the API answers; it does not change once it is made."""

    model_config = ConfigDict(frozen=True)


def environments_of(scope: Sequence[str] | None) -> Environments:
    """Environments as a body or an answer of the API tells them."""
    return None if scope is None else frozenset(scope)


def not_there(what: str) -> Problem:
    """The one answer about what does not exist, or belongs to an environment that the actor does not see."""
    return Problem(HTTPStatus.NOT_FOUND, f"there is no such {what}", "look at what there is: list it")
