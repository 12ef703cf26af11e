"""Makes objects in the environment `prod`, by the routes that name them by an id: for who sees `dev` only, each is 404.

A route whose path has an id and that is not here is `unproven` in the golden table.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from envparity_server.baselining import Proposal, pin
from envparity_server.drift.rules import rule_of
from envparity_server.storage import access, deploys, people, rules, sessions, tokens
from envparity_server.storage.actors import Actor, Role
from tests.server.fleet import enrolled, reported
from tests.server.gating.running import kept
from tests.server.making import OPERATING_SYSTEM, host, packages
from tests.server.notify.drifting import channel_in, drift_in

_LOCAL = Actor("local:tests", Role.ADMIN)
_PROD = frozenset({"prod"})
_DAY = timedelta(days=1)


def _host(connection: Connection) -> str:
    return enrolled(connection, "web-1", "prod").id


def _environment(connection: Connection) -> str:
    enrolled(connection, "web-1", "prod")
    return "prod"


def _person(connection: Connection) -> str:
    return people.add(connection, _LOCAL, "ada", Role.VIEWER, _PROD, None, datetime.now(UTC)).name


def _session(connection: Connection) -> str:
    now = datetime.now(UTC)
    access.begin_session(connection, _person(connection), now)
    return next(one.id for one in sessions.listed(connection, _LOCAL, now) if one.person == "ada")


def _token(connection: Connection) -> str:
    return tokens.add_access_token(connection, _LOCAL, Role.CI, "x", _PROD, _DAY, datetime.now(UTC))[1].id


def _enrolment_token(connection: Connection) -> str:
    return tokens.add_enrolment_token(connection, _LOCAL, "prod", 1, _DAY, None, datetime.now(UTC))[1].id


def _channel(connection: Connection) -> str:
    return channel_in(connection, hosts="env:prod").name


def _application(connection: Connection) -> str:
    reported(connection, "web-1", host(OPERATING_SYSTEM, packages({"idna": "3.7"}, "python/shop")), datetime.now(UTC))
    return "shop"


def _baseline(connection: Connection) -> str:
    reported(connection, "web-1", host(OPERATING_SYSTEM), datetime.now(UTC))
    pin(connection, _LOCAL, Proposal("shop", "env:prod", "", "a release"), None, datetime.now(UTC))
    return "shop"


def _rule(connection: Connection) -> str:
    one = rule_of({"match": "os/*", "hosts": "env:prod", "reason": "by design"})
    rules.add(connection, one, "prod", "local:tests", datetime.now(UTC))
    return one.id


def _drift(connection: Connection) -> str:
    return drift_in(connection)


def _acknowledged(connection: Connection) -> str:
    return drift_in(connection, state="acknowledged", reason="known", decided_by="person:ada")


def _run(connection: Connection) -> str:
    return str(kept(connection))


def _deploy(connection: Connection) -> str:
    return deploys.begin(connection, "env:prod", "prod", "shop", "", "person:ada", datetime.now(UTC)).id


# method and path -> what makes an object and tells its id, and the body of a request that is right
OBJECTS: Mapping[tuple[str, str], tuple[Callable[[Connection], str], Any]] = {
    ("GET", "/api/v1/hosts/{host_id}"): (_host, None),
    ("PATCH", "/api/v1/hosts/{host_id}"): (_host, {"name": "web-01"}),
    ("POST", "/api/v1/hosts/{host_id}/retire"): (_host, {}),
    ("GET", "/api/v1/environments/{name}"): (_environment, None),
    ("PUT", "/api/v1/environments/{name}"): (_environment, {"against": "env:dev"}),
    ("GET", "/api/v1/people/{name}"): (_person, None),
    ("PATCH", "/api/v1/people/{name}"): (_person, {"disabled": True}),
    ("PUT", "/api/v1/people/{name}/password"): (_person, {"password": "correct horse battery staple"}),
    ("DELETE", "/api/v1/tokens/{token_id}"): (_token, None),
    ("DELETE", "/api/v1/enrolment-tokens/{token_id}"): (_enrolment_token, None),
    ("DELETE", "/api/v1/sessions/{session_id}"): (_session, None),
    ("GET", "/api/v1/applications/{name}"): (_application, None),
    ("GET", "/api/v1/baselines/{name}"): (_baseline, None),
    ("POST", "/api/v1/baselines/{name}/approve"): (_baseline, {"version": 1}),
    ("POST", "/api/v1/baselines/{name}/withdraw"): (_baseline, {"version": 1, "reason": "a mistake"}),
    ("GET", "/api/v1/rules/{id}"): (_rule, None),
    ("PATCH", "/api/v1/rules/{id}"): (_rule, {"version": 1, "owner": "bob"}),
    ("DELETE", "/api/v1/rules/{id}"): (_rule, None),
    ("GET", "/api/v1/drifts/{id}"): (_drift, None),
    ("POST", "/api/v1/drifts/{id}/acknowledge"): (_drift, {"version": 1, "reason": "known"}),
    ("POST", "/api/v1/drifts/{id}/snooze"): (_drift, {"version": 1, "reason": "later", "until": "2099-01-01T00:00Z"}),
    ("POST", "/api/v1/drifts/{id}/reopen"): (_acknowledged, {"version": 1}),
    ("POST", "/api/v1/deploys/{id}/end"): (_deploy, None),
    ("GET", "/api/v1/gate-runs/{id}"): (_run, None),
    ("POST", "/api/v1/gate-runs/{id}/accept"): (_run, {"reason": "meant"}),
    ("GET", "/api/v1/channels/{name}"): (_channel, None),
    ("PATCH", "/api/v1/channels/{name}"): (_channel, {"enabled": False}),
    ("DELETE", "/api/v1/channels/{name}"): (_channel, None),
    ("POST", "/api/v1/channels/{name}/test"): (_channel, None),
}
