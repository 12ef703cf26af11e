"""What agents do: enrol, report a root hash, and send the objects that the server lacks."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool

from envparity_agent.documents import check_attributes
from envparity_agent.errors import InvalidDocument
from envparity_server import intake
from envparity_server.api.agent_documents import (
    Announced,
    Enrolled,
    Enrolment,
    NextCredential,
    Objects,
    Report,
    Reported,
)
from envparity_server.api.authentication import MAX_TOKEN, bearer, engine_of, host_of, now, refused
from envparity_server.api.bodies import field, read_body, read_json
from envparity_server.api.lists import NAME
from envparity_server.api.metrics import metrics_of
from envparity_server.api.openapi import documented
from envparity_server.api.problems import Problem
from envparity_server.storage import access, audit, credentials, hosts
from envparity_server.storage.database import writing

router = APIRouter(prefix="/api/v1", tags=["agents"])

_NAME = re.compile(NAME)
_HEX = re.compile(r"^[0-9a-f]{64}$")
MAX_OBSERVED = 4096  # sections
MIN_CREDENTIAL = 32  # characters
_TOLD_AGAIN_AFTER = timedelta(hours=1)  # an agent that goes on reporting as another host is told once an hour
_FIELDS = frozenset({"host", "root", "taken_at", "identity", "observed", "interval", "agent", "sent_at"})  # of a report

_LINE = '{"kind":"os","pages":[],"reasons":[],"schema":1,"status":"ok"}'
_OBJECTS = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-ndjson": {
                "schema": {"type": "string", "description": "One canonical JSON a line.", "examples": [_LINE]}
            }
        },
    }
}

HostId = Annotated[str, Path(pattern="^[0-9a-f]{16,64}$")]
Epoch = Annotated[str, Path(pattern="^[0-9a-f]{8,64}$")]
Seq = Annotated[int, Path(ge=1, lt=2**31)]


@router.put("/hosts/{host_id}", **documented(Enrolled, Enrolment))
async def enrol(request: Request, host_id: HostId) -> dict[str, str]:
    """Trade an enrolment token for a host's own credential, which the agent made and the server keeps as a hash.

    Sending the same again gives the same answer and spends no use.
    """
    token = bearer(request)
    body = await read_json(request)
    name, credential = field(body, "name", str), field(body, "credential", str)
    environment, labels = body.get("environment"), field(body, "labels", dict, {})
    if not name or len(name) > 255:
        raise InvalidDocument("name is empty or over 255 characters")
    _check(credential)
    for text in (*([] if environment is None else [environment]), *labels.keys(), *labels.values()):
        if not isinstance(text, str) or not _NAME.fullmatch(text):
            raise InvalidDocument(
                f"{str(text)[:80]!r} is no name of an environment or label",
                "use letters, digits, dot, dash, underscore",
            )
    return await run_in_threadpool(_enrol, request, host_id, token, name, environment, labels, credential)


def _check(credential: str) -> None:
    if not MIN_CREDENTIAL <= len(credential) <= MAX_TOKEN or not (credential.isascii() and credential.isprintable()):
        raise InvalidDocument(f"credential is not a text of {MIN_CREDENTIAL} to {MAX_TOKEN} ASCII characters")


def _enrol(
    request: Request, host_id: str, token: str, name: str, environment: str | None, labels: dict[str, str],
    credential: str,
) -> dict[str, str]:  # fmt: skip
    try:
        return _enrolled(request, host_id, token, name, environment, labels, access.hashed(credential))
    except IntegrityError:  # the credential is another host's, or two asked at once
        raise Problem(
            HTTPStatus.CONFLICT, "this credential is in use", "enrol again: the agent makes a new one"
        ) from None


def _enrolled(
    request: Request, host_id: str, token: str, name: str, environment: str | None, labels: dict[str, str],
    credential_hash: str,
) -> dict[str, str]:  # fmt: skip
    with writing(engine_of(request)) as connection:
        known = hosts.by_id(connection, host_id)
        if known:
            if not hosts.has_credential(connection, host_id, credential_hash):
                raise Problem(HTTPStatus.CONFLICT, "this host id is taken", "enrol again: the agent makes a new one")
            return {"host": host_id, "environment": known.environment}
        where = access.use_enrolment_token(connection, token, environment, now())
        if where is None:
            raise refused()
        life, token_id = access.terms_of(connection, token)
        hosts.add(connection, host_id, name, where, labels, credential_hash, now(), life)
        audit.write(
            connection,
            f"enrolment:{token_id}",
            "host.enrol",
            host_id,
            now(),
            where,
            name=name,
            ephemeral=life is not None,
        )
    return {"host": host_id, "environment": where}


@router.put("/objects", openapi_extra=_OBJECTS, **documented(Objects))
async def upload(request: Request) -> dict[str, list[str]]:
    """Store objects of fingerprints, one canonical JSON a line; answers with what they refer to and is missing."""
    body = await read_body(request)
    missing = await run_in_threadpool(_store, request, body)
    metrics_of(request).objects.inc(sum(bool(line) for line in body.split(b"\n")))
    return {"missing": missing}


def _store(request: Request, body: bytes) -> list[str]:
    with writing(engine_of(request)) as connection:
        return intake.store_objects(connection, body, now())


@router.put("/reports/{epoch}/{seq}", **documented(Reported, Report))
async def report(request: Request, epoch: Epoch, seq: Seq) -> dict[str, Any]:
    """Report a root hash under the agent's own number; accepted once every object of its tree is stored.

    `accepted` means: committed durably. Else `missing` lists objects to send before the same report is sent again.
    `ignored` counts the fields of a newer agent that this server does not know, where there are any.
    """
    token = bearer(request)
    body = await read_json(request)
    root = field(body, "root", str)
    if not _HEX.fullmatch(root):
        raise InvalidDocument("root is not a SHA-256")
    observed = field(body, "observed", dict, {})
    if len(observed) > MAX_OBSERVED:
        raise InvalidDocument(f"observed has more than {MAX_OBSERVED} sections")
    last = {
        "root": root,
        "taken_at": _moment(field(body, "taken_at", str)),
        "identity": check_attributes(field(body, "identity", dict, {}), "identity"),
        "observed": {path: check_attributes(value, path) for path, value in observed.items()},
        "interval": max(60, min(field(body, "interval", int), 7 * 86400)),
        "agent": field(body, "agent", str)[:64],
        "sent_at": _moment(field(body, "sent_at", str)) if "sent_at" in body else None,
    }
    answer = await run_in_threadpool(_accept, request, token, field(body, "host", str), epoch, seq, last)
    ignored = len(body.keys() - _FIELDS)
    return {**answer, "ignored": ignored} if ignored else answer


def _moment(text: str) -> str:
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        raise InvalidDocument("taken_at is not a moment in ISO 8601") from None


def _accept(request: Request, token: str, host_id: str, epoch: str, seq: int, last: dict[str, Any]) -> dict[str, Any]:
    with _as_host(request, token, host_id) as (connection, host):
        duplicate, missing = intake.accept(connection, host, epoch, seq, last, now())
    outcome = "missing objects" if missing else "duplicate" if duplicate else "accepted"
    metrics_of(request).reports.labels(outcome).inc()
    if missing:
        return {"accepted": False, "missing": missing}
    return {"accepted": True, "root": last["root"], "seq": seq, "duplicate": duplicate}


@contextmanager
def _as_host(request: Request, token: str, host_id: str) -> Iterator[tuple[Connection, hosts.Host]]:
    """A transaction of the host that asks, held: its requests come one at a time.

    Raises Problem 403 where it says to be another one, and keeps that for the audit: credential and state parted.
    """
    try:
        with writing(engine_of(request)) as connection:
            host = host_of(connection, token, lock=True)
            if host.id != host_id:
                raise _Impostor(host)
            yield connection, host
    except _Impostor as problem:
        _keep(request, problem.host, host_id)
        raise


class _Impostor(Problem):
    """A host asks in the name of another one."""

    def __init__(self, host: hosts.Host) -> None:
        super().__init__(HTTPStatus.FORBIDDEN, "the credential belongs to another host", "enrol this host anew")
        self.host = host


def _keep(request: Request, host: hosts.Host, claimed: str) -> None:
    entry = (f"host:{host.id}", "host.impostor", claimed[:64])
    with writing(engine_of(request)) as connection:
        if not audit.is_told(connection, *entry, now() - _TOLD_AGAIN_AFTER):
            audit.write(connection, *entry, now(), host.environment)


@router.post("/hosts/{host_id}/credential", **documented(Announced, NextCredential))
async def change_credential(request: Request, host_id: HostId) -> dict[str, str]:
    """Announce the credential that the host will use next: old and new are valid until the new one is used.

    Asking with the new one, as with any other request, makes it the only one; so this may be sent again at any time.
    """
    token = bearer(request)
    credential = field(await read_json(request), "credential", str)
    _check(credential)
    return await run_in_threadpool(_announce, request, token, host_id, access.hashed(credential))


def _announce(request: Request, token: str, host_id: str, credential_hash: str) -> dict[str, str]:
    with _as_host(request, token, host_id) as (connection, host):
        in_use = access.hashed(token) == credential_hash
        if not in_use and not credentials.announce(connection, host_id, credential_hash):
            raise Problem(HTTPStatus.CONFLICT, "this credential is in use", "make another one")
        if in_use:
            audit.write(connection, f"host:{host_id}", "host.credential", host_id, now(), host.environment)
    return {"host": host_id, "credential": "in use" if in_use else "announced"}
