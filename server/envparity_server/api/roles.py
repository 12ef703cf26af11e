"""Which role each route of the API needs: the one list, and what holds it; a route that is not in it is refused."""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request

from envparity_server.api.authentication import actor_of, bearer, is_agent, is_enrolling, refused
from envparity_server.api.problems import Problem
from envparity_server.storage.actors import Actor, Role


class Stranger(StrEnum):
    """Who has no role: anybody, an agent by its host's credential, a host that enrols by a token."""

    ANYBODY = "anybody"
    AGENT = "agent"
    ENROLLING = "enrolling"


_CI, _VIEWER, _OPERATOR, _ADMIN = Role.CI, Role.VIEWER, Role.OPERATOR, Role.ADMIN

NEEDS: Mapping[tuple[str, str], Role | Stranger] = {
    ("GET", "/livez"): Stranger.ANYBODY,
    ("GET", "/readyz"): Stranger.ANYBODY,
    ("GET", "/metrics"): _VIEWER,
    ("GET", "/api/v1/schemas/fingerprint"): Stranger.ANYBODY,
    ("PUT", "/api/v1/hosts/{host_id}"): Stranger.ENROLLING,
    ("PUT", "/api/v1/objects"): Stranger.AGENT,
    ("PUT", "/api/v1/reports/{epoch}/{seq}"): Stranger.AGENT,
    ("POST", "/api/v1/hosts/{host_id}/credential"): Stranger.AGENT,
    ("GET", "/api/v1/hosts"): _VIEWER,
    ("GET", "/api/v1/hosts/{host_id}"): _VIEWER,
    ("PATCH", "/api/v1/hosts/{host_id}"): _OPERATOR,
    ("POST", "/api/v1/hosts/{host_id}/retire"): _OPERATOR,
    ("GET", "/api/v1/environments"): _VIEWER,
    ("GET", "/api/v1/environments/{name}"): _VIEWER,
    ("PUT", "/api/v1/environments/{name}"): _OPERATOR,
    ("GET", "/api/v1/people"): _ADMIN,
    ("POST", "/api/v1/people"): _ADMIN,
    ("GET", "/api/v1/people/{name}"): _ADMIN,
    ("PATCH", "/api/v1/people/{name}"): _ADMIN,
    ("PUT", "/api/v1/people/{name}/password"): _ADMIN,
    ("GET", "/api/v1/tokens"): _ADMIN,
    ("POST", "/api/v1/tokens"): _ADMIN,
    ("DELETE", "/api/v1/tokens/{token_id}"): _ADMIN,
    ("GET", "/api/v1/enrolment-tokens"): _ADMIN,
    ("POST", "/api/v1/enrolment-tokens"): _ADMIN,
    ("DELETE", "/api/v1/enrolment-tokens/{token_id}"): _ADMIN,
    ("GET", "/api/v1/sessions"): _ADMIN,
    ("DELETE", "/api/v1/sessions/{session_id}"): _ADMIN,
    ("GET", "/api/v1/audit"): _ADMIN,
    ("GET", "/api/v1/fingerprints"): _VIEWER,
    ("GET", "/api/v1/compare"): _VIEWER,
    ("POST", "/api/v1/gates"): _CI,
    ("GET", "/api/v1/gate-runs"): _VIEWER,
    ("GET", "/api/v1/gate-runs/{id}"): _VIEWER,
    ("POST", "/api/v1/gate-runs/{id}/accept"): _OPERATOR,
    ("GET", "/api/v1/gate-badges"): _OPERATOR,
    ("PUT", "/api/v1/gate-badges"): _OPERATOR,
    ("DELETE", "/api/v1/gate-badges"): _OPERATOR,
    ("GET", "/badges/{secret}.svg"): Stranger.ANYBODY,  # whoever has the address
    ("GET", "/api/v1/schemas/explanation"): Stranger.ANYBODY,
    ("GET", "/api/v1/explain"): _CI,
    ("POST", "/api/v1/explain"): _CI,
    ("GET", "/api/v1/rules"): _VIEWER,
    ("GET", "/api/v1/rules/{id}"): _VIEWER,
    ("POST", "/api/v1/rules"): _OPERATOR,
    ("POST", "/api/v1/rules/preview"): _OPERATOR,
    ("POST", "/api/v1/rules/import"): _OPERATOR,
    ("PATCH", "/api/v1/rules/{id}"): _OPERATOR,
    ("DELETE", "/api/v1/rules/{id}"): _OPERATOR,
    ("GET", "/api/v1/items"): _VIEWER,
    ("GET", "/api/v1/items/values"): _VIEWER,
    ("GET", "/api/v1/changes"): _VIEWER,
    ("GET", "/api/v1/tags"): _VIEWER,
    ("GET", "/api/v1/drifts"): _VIEWER,
    ("GET", "/api/v1/drifts/{id}"): _VIEWER,
    ("POST", "/api/v1/drifts/decisions"): _OPERATOR,
    ("POST", "/api/v1/drifts/{id}/acknowledge"): _OPERATOR,
    ("POST", "/api/v1/drifts/{id}/snooze"): _OPERATOR,
    ("POST", "/api/v1/drifts/{id}/reopen"): _OPERATOR,
    ("GET", "/api/v1/deploys"): _VIEWER,
    ("POST", "/api/v1/deploys"): _CI,
    ("POST", "/api/v1/deploys/end"): _CI,
    ("POST", "/api/v1/deploys/{id}/end"): _CI,
    ("GET", "/api/v1/outcomes"): _VIEWER,
    ("POST", "/api/v1/outcomes"): _CI,
    ("GET", "/api/v1/explain/outcomes"): _VIEWER,
    ("GET", "/api/v1/majority"): _VIEWER,
    ("GET", "/api/v1/pivot"): _VIEWER,
    ("GET", "/api/v1/applications"): _VIEWER,
    ("GET", "/api/v1/applications/{name}"): _VIEWER,
    ("GET", "/api/v1/baselines"): _VIEWER,
    ("GET", "/api/v1/baselines/{name}"): _VIEWER,
    ("POST", "/api/v1/baselines"): _OPERATOR,
    ("POST", "/api/v1/baselines/{name}/today"): _OPERATOR,
    ("POST", "/api/v1/baselines/{name}/approve"): _OPERATOR,
    ("POST", "/api/v1/baselines/{name}/withdraw"): _OPERATOR,
    ("DELETE", "/api/v1/baselines/{name}"): _OPERATOR,
    ("GET", "/api/v1/schemas/notification"): Stranger.ANYBODY,
    ("GET", "/api/v1/channels"): _ADMIN,
    ("POST", "/api/v1/channels"): _ADMIN,
    ("GET", "/api/v1/channels/{name}"): _ADMIN,
    ("PATCH", "/api/v1/channels/{name}"): _ADMIN,
    ("DELETE", "/api/v1/channels/{name}"): _ADMIN,
    ("POST", "/api/v1/channels/{name}/test"): _ADMIN,
    ("GET", "/api/v1/deliveries"): _ADMIN,
}


def authorised(request: Request) -> None:
    """Let a request pass that its route's needs allow, the actor in `request.state`; raises Problem 401 or 403.

    It runs before a route reads a body by hand: nothing of a stranger's is decompressed. A body that is a model the
    framework has parsed by then, as plain JSON within the cap of `limits.Guard`.
    """
    needs = NEEDS.get((request.method, request.scope["route"].path))
    if needs is None:
        raise Problem(HTTPStatus.FORBIDDEN, "nobody may use this route: it has no rule")
    if needs == Stranger.ANYBODY:
        return
    if isinstance(needs, Stranger):
        known = is_agent if needs == Stranger.AGENT else is_enrolling
        if not known(request, bearer(request)):
            raise refused()
        return
    actor = actor_of(request)
    if actor is None:
        raise refused()
    if not actor.role.may(needs):
        raise Problem(HTTPStatus.FORBIDDEN, f"the role {actor.role} may not do this", f"it needs the role {needs}")
    request.state.actor = actor


def actor(request: Request) -> Actor:
    """Who asks, as `authorised` found; a dependency of the routes."""
    found: Actor = request.state.actor
    return found


Acting = Annotated[Actor, Depends(actor)]
