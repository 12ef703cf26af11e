"""The routes of the application, with something in place of each parameter."""

from collections.abc import Iterator
from typing import Any

from starlette.routing import Mount, Route

_ANY_ID = "fedcba9876543210"  # fits what every id has to look like, and names nothing
_ANY_NUMBER = "1"


def routes(routing: Any) -> Iterator[tuple[str, str]]:
    """Every method and path, also below routers that are included."""
    for route in routing.routes:
        if hasattr(route, "original_router"):
            yield from routes(route.original_router)
        elif isinstance(route, Mount):
            yield "GET", route.path
        elif isinstance(route, Route):
            yield from ((method, route.path) for method in sorted((route.methods or set()) - {"HEAD"}))
        else:
            raise TypeError(f"a route of an unknown kind: {route!r}")


def described(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every method and path of an OpenAPI document."""
    for path, operations in document["paths"].items():
        yield from ((method.upper(), path) for method in operations if method != "parameters")


def filled(document: dict[str, Any], method: str, path: str) -> str:
    """A path with something in place of each parameter, as the OpenAPI document says what they are."""
    operation = document["paths"].get(path, {}).get(method.lower(), {})
    numbers = {one["name"] for one in operation.get("parameters", ()) if one.get("schema", {}).get("type") == "integer"}
    parts = (
        (_ANY_NUMBER if part[1:-1] in numbers else _ANY_ID) if part.startswith("{") else part
        for part in path.split("/")
    )
    return "/".join(parts)
