"""Asks the application over its own interface, without a socket, as an agent, a pipeline or a person."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx
from fastapi import FastAPI
from sqlalchemy import Engine

from envparity_agent.fingerprint import Fingerprint
from envparity_server.api.authentication import SESSION_COOKIE
from envparity_server.storage import access, people
from envparity_server.storage.actors import Actor, Environments, Role
from envparity_server.storage.database import writing

LIFE = timedelta(days=1)
CREDENTIAL = "epa_0123456789abcdef0123456789abcdef-"
HOST_ID = "0123456789abcdef"
EPOCH = "00112233"


@dataclass(frozen=True)
class Asking:
    """Somebody who asks the application; an error in it is an answer 500, as on the wire."""

    app: FastAPI
    engine: Engine
    headers: Mapping[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request and its answer; redirects are not followed."""

        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://envparity.test") as client:
                return await client.request(
                    method, path, **{**more, "headers": {**self.headers, **more.get("headers", {})}}
                )

        return anyio.run(once)

    def get(self, path: str, **query: str | list[str]) -> httpx.Response:
        """GET with a query."""
        return self.ask("GET", path, params=query or None)

    def bearing(self, token: str) -> "Asking":
        """The same with a token."""
        return replace(self, headers={"Authorization": f"Bearer {token}"})

    def logged_in(self) -> "Asking":
        """The same with a person's session."""
        now = datetime.now(UTC)
        with writing(self.engine) as connection:
            token = access.use_login(connection, access.make_login(connection, now), now)
        return replace(self, headers={"Cookie": f"{SESSION_COOKIE}={token}"})

    def enrolment_token(self, environment: str | None = None, uses: int = 1) -> str:
        """A token with which agents enrol."""
        with writing(self.engine) as connection:
            return access.make_enrolment_token(connection, environment, uses, LIFE, datetime.now(UTC))

    def as_role(self, role: str, environments: Environments = None) -> "Asking":
        """The same with a token of a role, for all environments or some."""
        now = datetime.now(UTC)
        with writing(self.engine) as connection:
            token = access.make_access_token(connection, role, "tests", LIFE, now, environments=environments)
        return self.bearing(token)

    def as_person(self, name: str, role: Role, environments: Environments = None) -> "Asking":
        """The same with the session of a person who is added."""
        now = datetime.now(UTC)
        with writing(self.engine) as connection:
            people.add(connection, Actor("local:tests", Role.ADMIN), name, role, environments, None, now)
            token = access.begin_session(connection, name, now)
        return replace(self, headers={"Cookie": f"{SESSION_COOKIE}={token}"})

    def enrol(self, token: str, host_id: str = HOST_ID, **changed: Any) -> httpx.Response:
        """Enrol an agent."""
        body = {"name": "web-1", "environment": "prod", "labels": {}, "credential": CREDENTIAL, **changed}
        return self.bearing(token).ask("PUT", f"/api/v1/hosts/{host_id}", json=body)

    def as_agent(self, host_id: str = HOST_ID, credential: str = CREDENTIAL, **changed: Any) -> "Asking":
        """The same as an agent that has enrolled."""
        answer = self.enrol(self.enrolment_token(), host_id, credential=credential, **changed)
        assert answer.status_code == 200, answer.text
        return self.bearing(credential)

    def report(
        self, fingerprint: Fingerprint, seq: int = 1, host_id: str = HOST_ID, epoch: str = EPOCH, **changed: Any
    ) -> httpx.Response:
        """Report a root."""
        head = {
            "host": host_id,
            "root": fingerprint.root,
            "taken_at": fingerprint.taken_at,
            "identity": fingerprint.identity,
            "observed": fingerprint.observed,
            "interval": 900,
            "agent": "1.0",
            **changed,
        }
        return self.ask("PUT", f"/api/v1/reports/{epoch}/{seq}", json=head)

    def upload(self, *bodies: bytes) -> httpx.Response:
        """Send objects, one a line."""
        return self.ask("PUT", "/api/v1/objects", content=b"\n".join(bodies))

    def deliver(self, fingerprint: Fingerprint, seq: int = 1, **changed: Any) -> httpx.Response:
        """Send every object, then the report."""
        sent = self.upload(*fingerprint.objects().values())
        assert sent.status_code == 200, sent.text
        return self.report(fingerprint, seq, **changed)


def zipped(value: Any) -> dict[str, Any]:
    """A request with a JSON value, compressed."""
    return {"content": gzip.compress(json.dumps(value).encode()), "headers": {"Content-Encoding": "gzip"}}
