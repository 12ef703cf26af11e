"""Speaks to the central server: enrols, reports by hash first, asks for fingerprints and verdicts."""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any

import httpx
from httpx_retries import Retry, RetryTransport

from envparity_agent import __version__
from envparity_agent.canonical import decode
from envparity_agent.documents import from_document
from envparity_agent.errors import CannotTell, InvalidDocument, UsageError
from envparity_agent.fingerprint import Fingerprint
from envparity_agent.spool import Report
from envparity_agent.state import Enrolment

CHUNK = 3 * 1024 * 1024  # bytes of objects in one request: a server takes 2 MiB, and hashes compress to half only
MAX_ROUNDS = 8  # root, sections, pages: more means that the server does not keep what it gets

# every request may be sent again: all are idempotent. The time-out of one waits for the server's commit
_RETRY = Retry(total=4, backoff_factor=0.5, max_backoff_wait=20, allowed_methods=("GET", "PUT", "POST"))
_TIMEOUT = httpx.Timeout(30, connect=10)


class NotKnown(CannotTell):
    """The server does not know the credential, or no longer."""


class _Whole(httpx.BaseTransport):
    """Reads bodies below the retries: an answer that ends within its body is asked for again as if it never began."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._transport.handle_request(request)
        response.read()
        return response

    def close(self) -> None:
        self._transport.close()


class Client:
    """One server, one credential; closes its connections at the end of the `with` block."""

    def __init__(self, server: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        self._server = server
        self._http = httpx.Client(
            base_url=server,
            headers={"Authorization": f"Bearer {token}", "User-Agent": f"envparity/{__version__}"},
            transport=RetryTransport(_Whole(transport or httpx.HTTPTransport()), retry=_RETRY),
            timeout=_TIMEOUT,
            follow_redirects=False,  # never with credentials
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def enrol(self, enrolment: Enrolment, name: str, environment: str | None, labels: Mapping[str, str]) -> str:
        """Trade the enrolment token for this agent's own credential; returns the host's environment."""
        answer = self._put(
            f"/api/v1/hosts/{enrolment.host_id}",
            {"name": name, "environment": environment, "labels": dict(labels), "credential": enrolment.credential},
        )
        if not isinstance(answer.get("environment"), str):
            raise self._stranger()
        return str(answer["environment"])

    def change_credential(self, enrolment: Enrolment) -> None:
        """Tell the server the host's next credential; told under that one itself, it is the only one from then on."""
        path = f"/api/v1/hosts/{enrolment.host_id}/credential"
        body = json.dumps({"credential": enrolment.next_credential}).encode()
        if self._send("POST", path, body, "application/json").get("host") != enrolment.host_id:
            raise self._stranger()

    def report(self, report: Report, host_id: str, interval: int) -> None:
        """Deliver a report: the root hash, then only the objects that the server lacks, until it acknowledges.

        Raises CannotTell where the server did not acknowledge this very report.
        """
        path = f"/api/v1/reports/{report.epoch}/{report.seq}"
        head = {
            "host": host_id,
            "root": report.fingerprint.root,
            "taken_at": report.fingerprint.taken_at,
            "identity": report.fingerprint.identity,
            "observed": report.fingerprint.observed,
            "interval": interval,
            "agent": __version__,
        }
        answer = self._put(path, _sent(head))
        objects = report.fingerprint.objects()
        for _ in range(MAX_ROUNDS):
            if answer.get("accepted") is True and answer.get("root") == report.fingerprint.root:
                return
            missing = self._missing(answer)
            if not missing:
                answer = self._put(path, _sent(head))
                continue
            answer = self._upload(objects, missing)
        raise CannotTell(f"{self._server} did not acknowledge the report", "it is kept and sent again")

    def _upload(self, objects: Mapping[str, bytes], missing: Iterable[str]) -> dict[str, Any]:
        lacking: list[str] = []
        for chunk in _chunks(objects[hash] for hash in missing if hash in objects):
            answer = self._send("PUT", "/api/v1/objects", chunk, "application/x-ndjson")
            lacking += self._missing(answer)
        return {"missing": tuple(lacking)}

    def _missing(self, answer: Mapping[str, Any]) -> tuple[str, ...]:
        missing = answer.get("missing") or ()
        if not isinstance(missing, tuple) or not all(isinstance(hash, str) for hash in missing):
            raise self._stranger()
        return missing

    def _stranger(self) -> CannotTell:
        return CannotTell(f"{self._server} answers, but not as an envparity server", "check the address")

    def fingerprint(self, selector: str) -> tuple[Fingerprint, list[str], Mapping[str, Any]]:
        """What a selector stands for on the server, what must be said beside it (a stale host), and whom it names."""
        answer = self._get("/api/v1/fingerprints", {"of": selector})
        subject = answer.get("subject")
        whom = subject if isinstance(subject, Mapping) else {}
        return from_document(answer.get("fingerprint")), list(answer.get("notes") or ()), whom

    def gate(self, fingerprint: Fingerprint, question: Mapping[str, Any]) -> dict[str, Any]:
        """The server's verdict on a fingerprint that was taken here."""
        body = json.dumps({**question, "fingerprint": fingerprint.document()}).encode()
        return self._send("POST", "/api/v1/gates", body, "application/json")

    def pin(self, proposal: Mapping[str, Any]) -> dict[str, Any]:
        """Propose a version of a baseline: by a selector, or with the document of a fingerprint that was taken here."""
        return self._send("POST", "/api/v1/baselines", json.dumps(proposal).encode(), "application/json")

    def tell_outcomes(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Tell outcomes of checks: on hosts, or of a job with the document of a fingerprint that was taken there."""
        return self._send("POST", "/api/v1/outcomes", json.dumps(told).encode(), "application/json")

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | Sequence[str]] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Any other question to the API, as the verbs that manage the server ask it; `path` begins below /api/v1."""
        content = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        request = self._http.build_request(method, f"/api/v1{path}", params=query, content=content, headers=headers)
        return self._answer(request)

    def _get(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        return self._answer(self._http.build_request("GET", path, params=query))

    def _put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._send("PUT", path, json.dumps(body).encode(), "application/json")

    def _send(self, method: str, path: str, body: bytes, media_type: str) -> dict[str, Any]:
        headers = {"Content-Type": media_type, "Content-Encoding": "gzip"}
        return self._answer(self._http.build_request(method, path, content=gzip.compress(body), headers=headers))

    def _answer(self, request: httpx.Request) -> dict[str, Any]:
        try:
            response = self._http.send(request)
        except httpx.HTTPError as problem:
            raise CannotTell(
                f"cannot reach {self._server}: {problem or type(problem).__name__}",
                "check the address, the network and that the server runs",
            ) from None
        if response.is_redirect:
            raise CannotTell(
                f"{self._server} redirects to {response.headers.get('location', 'nowhere')}",
                "give that address as --server if you trust it: a redirect is never followed with a credential",
            )
        if not response.is_success:
            raise self._refusal(response)
        try:
            answer = decode(response.content)
        except InvalidDocument:
            answer = None
        if not isinstance(answer, dict):
            raise self._stranger()
        return answer

    def _refusal(self, response: httpx.Response) -> UsageError | CannotTell:
        try:
            problem = decode(response.content)
        except InvalidDocument:
            problem = None
        problem = problem if isinstance(problem, dict) else {}
        detail = str(problem.get("detail") or response.reason_phrase)
        message, advice = f"{self._server}: {detail}", str(problem.get("advice") or "")
        if response.status_code in (400, 404, 422):
            return UsageError(message, advice)
        kind = NotKnown if response.status_code == HTTPStatus.UNAUTHORIZED else CannotTell
        return kind(f"{message} (HTTP {response.status_code})", advice)


def _sent(head: Mapping[str, Any]) -> dict[str, Any]:
    """A report with the agent's clock: the server orders by its own, and tells how far this one is off."""
    return {**head, "sent_at": datetime.now(UTC).isoformat()}


def _chunks(bodies: Iterable[bytes]) -> Iterator[bytes]:
    """Join objects, one a line, into request bodies of a bounded size."""
    lines: list[bytes] = []
    size = 0
    for body in bodies:
        if lines and size + len(body) > CHUNK:
            yield b"\n".join(lines)
            lines, size = [], 0
        lines.append(body)
        size += len(body) + 1
    if lines:
        yield b"\n".join(lines)
