"""The OpenAPI document: what the framework knows of each route, who may ask it, what can go wrong, and examples."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field

from envparity_server.api.authentication import SESSION_COOKIE
from envparity_server.api.examples import NoExample, example, whole
from envparity_server.api.roles import NEEDS, Stranger
from envparity_server.storage.actors import Role

Document = dict[str, Any]

_JSON = "application/json"
_PROBLEM = "application/problem+json"
_REFERENCE = "#/components/schemas/"

# status -> when it is answered, and with which detail and advice for example
PROBLEMS: Mapping[int, tuple[str, str, str]] = {
    400: ("The body is no whole gzip stream, or no UTF-8.", "the body is not one whole gzip stream", ""),
    401: ("Nobody is known by this token or session.", "the token is missing or not valid",
          "ask the server's operator for one"),
    403: ("The asker may not do this, or another site made the browser ask.", "the role viewer may not do this",
          "it needs the role operator"),
    404: ("There is no such thing, or it belongs to an environment that the asker does not see.",
          "there is no such host", "look at what there is: list it"),
    409: ("Somebody decided meanwhile, or it is taken; nothing was changed.",
          "the rule is at version 3: somebody else changed it", "look at it again"),
    413: ("The body is too large.", "the body is over 2097152 bytes, or 16777216 bytes decompressed",
          "send objects in several requests"),
    415: ("The body has an encoding other than gzip.", "content encoding br is not supported", "use gzip"),
    422: ("The question is wrong; `detail` says where.", "query.limit: Input should be less than or equal to 1000", ""),
    424: ("The question is right, but nothing that answers it is there yet.", "env:prod has no fresh host",
          "wait for a report, or name another selector"),
    503: ("The database cannot be used now, nothing was committed; `Retry-After` says when to try again.",
          "the database cannot be used now", "try again"),
}  # fmt: skip

# fields and parameters that name hosts by a selector, whose answer may not be there
_SELECTORS = frozenset({"of", "left", "right", "good", "bad", "against", "source", "hosts", "applies_to"})
# objects that are named elsewhere than in the path
_NAMED_ELSEWHERE = frozenset(
    {
        ("POST", "/api/v1/drifts/decisions"), ("POST", "/api/v1/deploys/end"), ("GET", "/api/v1/deliveries"),
        ("GET", "/api/v1/fingerprints"), ("GET", "/api/v1/compare"), ("POST", "/api/v1/gates"),
        ("POST", "/api/v1/baselines"), ("GET", "/api/v1/explain"), ("POST", "/api/v1/explain"),
        ("PUT", "/api/v1/gate-badges"), ("DELETE", "/api/v1/gate-badges"),
    }
)  # fmt: skip


class ProblemDocument(BaseModel):
    """Why something was refused (RFC 9457)."""

    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="What happened, and where.")
    advice: str = Field(description="What to do next; may be empty.")


def by_hand(model: type[BaseModel]) -> Document:
    """The `openapi_extra` of a route that reads its body itself: capped, compressed or not."""
    return {"requestBody": {"required": True, "content": {_JSON: {"schema": model.model_json_schema()}}}}


def documented(answer: type[BaseModel], body: type[BaseModel] | None = None) -> Document:
    """What a route's decorator takes where its models are for the document alone: its answer is sent as it stands."""
    told: Document = {"response_model": None, "responses": {200: {"model": answer}}}
    return told | {"openapi_extra": by_hand(body)} if body else told


def complete(document: Document) -> Document:
    """The framework's document with everything that it does not know; changes it in place."""
    components = document.setdefault("components", {})
    models = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):  # the framework's, which this server never sends
        models.pop(name, None)
    models[ProblemDocument.__name__] = ProblemDocument.model_json_schema()
    for model in models.values():
        if "examples" in model:
            model["examples"] = [whole(shown, model, models) for shown in model["examples"]]
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An access token, or a host's credential."},
        "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE, "description": "A person's login."},
    }
    for method, path, operation in operations(document):
        needs = NEEDS.get((method, path), Stranger.ANYBODY)
        operation["x-role"] = str(needs)
        operation["summary"] = operation["summary"].capitalize()
        operation["security"] = _security(needs)
        operation["responses"] = {
            **{status: one for status, one in operation["responses"].items() if status.startswith("2")},
            **{str(status): _problem(status) for status in _statuses(method, path, needs, operation, models)},
        }
        for content in _contents(operation):
            if "example" not in content:
                with suppress(NoExample):  # the tests of the document say which is missing
                    content["example"] = example(content.get("schema", {}), models)
    return document


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Method, path and operation of everything in a document."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _security(needs: Role | Stranger) -> list[Document]:
    if needs == Stranger.ANYBODY:
        return []
    return [{"bearer": []}] if isinstance(needs, Stranger) else [{"bearer": []}, {"session": []}]


def _statuses(
    method: str, path: str, needs: Role | Stranger, operation: Document, models: Mapping[str, Document]
) -> list[int]:
    """What can be answered but a success; an over-long list is no lie, a missing one is."""
    if needs == Stranger.ANYBODY:
        return [404, 503] if "{" in path else [503] if path == "/readyz" else []
    has_body = "requestBody" in operation
    names = {one["name"] for one in operation.get("parameters", ())} | set(_fields(operation, models))
    can_be = {
        400: has_body,
        401: True,
        403: True,
        404: ("{" in path and not isinstance(needs, Stranger)) or (method, path) in _NAMED_ELSEWHERE,
        409: method != "GET",
        413: has_body,
        415: has_body,
        422: bool(names) or has_body,
        424: bool(names & _SELECTORS),
        503: True,
    }
    return [status for status, does in can_be.items() if does]


def _fields(operation: Document, models: Mapping[str, Document]) -> Iterator[str]:
    """The names of a body's fields."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        if "$ref" in schema:
            schema = models[schema["$ref"].removeprefix(_REFERENCE)]
        yield from schema.get("properties", ())


def _contents(operation: Document) -> Iterator[Document]:
    yield from operation.get("requestBody", {}).get("content", {}).values()
    for response in operation["responses"].values():
        yield from response.get("content", {}).values()


def _problem(status: int) -> Document:
    when, detail, advice = PROBLEMS[status]
    shown = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail, "advice": advice}
    schema = {"$ref": _REFERENCE + ProblemDocument.__name__}
    return {"description": when, "content": {_PROBLEM: {"schema": schema, "example": shown}}}
