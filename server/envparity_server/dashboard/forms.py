"""What the form of a page sends, and who may send it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import parse_qs

from fastapi import Request
from pydantic import BaseModel, ValidationError

from envparity_agent.errors import UsageError
from envparity_server.api.bodies import read_body
from envparity_server.api.problems import Problem
from envparity_server.dashboard.pages import require_person
from envparity_server.storage.actors import Actor, Role

Body = TypeVar("Body", bound=BaseModel)

_LONGEST = 4096  # characters of one field


@dataclass(frozen=True)
class Form:
    """The fields of a form, each without spaces around it."""

    fields: Mapping[str, list[str]]

    def text(self, name: str) -> str:
        """A field, "" where the form has none."""
        return self.texts(name)[0] if name in self.fields else ""

    def texts(self, name: str) -> list[str]:
        """Every value of a field that may come several times, as check boxes do."""
        # PostgreSQL takes no NUL, and no browser sends one
        return ["" if "\0" in one else one.strip()[:_LONGEST] for one in self.fields.get(name, [])]

    def number(self, name: str) -> int:
        """A field that the page filled, such as the version that it shows; raises UsageError where it is no number."""
        text = self.text(name)
        if not re.fullmatch("[0-9]{1,9}", text):
            raise UsageError(f"the form has no {name}", "open the page again")
        return int(text)


async def read_form(request: Request) -> Form:
    """The form that a request has, within the caps of every body; raises Problem 400, 413 or 415."""
    return Form(parse_qs((await read_body(request)).decode("utf-8", "replace"), keep_blank_values=True))


def may(request: Request, role: Role) -> bool:
    """Whether the person who asks may do what needs a role: what a page offers."""
    actor: Actor = request.state.actor
    return actor.role.may(role)


def require(request: Request, role: Role) -> Actor:
    """The person who asks, if the role is enough; raises Problem 403."""
    actor: Actor = request.state.actor
    if not actor.role.may(role):
        raise Problem(HTTPStatus.FORBIDDEN, f"the role {actor.role} may not do this", f"ask an {role} to do it")
    return actor


def require_admin(request: Request) -> None:
    """Let a logged-in administrator pass; raises LoginNeeded, or Problem 403. A dependency of whole routers."""
    require_person(request)
    require(request, Role.ADMIN)


def checked(model: type[Body], **fields: object) -> Body:
    """The fields of a form as the API takes them, without those that are empty; raises UsageError for what is wrong."""
    try:
        return model.model_validate({name: value for name, value in fields.items() if value != ""})
    except ValidationError as problem:
        first = problem.errors()[0]
        place = str(first["loc"][0]).replace("_", " ") if first["loc"] else "the form"
        raise UsageError(f"{place}: {first['msg']}", "go back, and change it") from None


def listed(text: str) -> list[str] | None:
    """The names in a field, with commas between them; None for an empty one, which stands for all."""
    return [name.strip() for name in text.split(",") if name.strip()] or None
