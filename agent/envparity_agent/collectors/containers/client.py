"""A client of a container engine that only ever asks: GET alone, with a cap on each answer and an end to the waiting.

The docker SDK knows the questions and how they are written; what carries them is here, because the SDK reads answers
of any length for any time, and turns off the time-out of a stream.
"""

import http.client
import re
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from io import BytesIO
from typing import Any
from urllib.parse import urlencode, urlsplit

import docker
import docker.errors
import requests
import requests.exceptions
from docker.constants import MINIMUM_DOCKER_API_VERSION

from envparity_agent.root import MIB

TIMEOUT_SECONDS = 10  # for one whole answer, from the question to its last byte
STREAM_SECONDS = 600  # for a container's or an image's files
BUDGET_SECONDS = 60  # for all answers together that are no files
MAX_ANSWER = 8 * MIB

_API_VERSION = re.compile(r"\d{1,3}\.\d{1,3}")
_CHUNK = 256 * 1024


class TooLarge(requests.exceptions.RequestException):
    """The engine's answer is longer than any that makes sense."""


class Client(docker.APIClient):
    """Asks one engine; raises what the SDK raises, requests.exceptions.Timeout at a deadline, and TooLarge."""

    def __init__(self, url: str) -> None:
        if url.startswith("ssh:"):  # the SDK would start a program for it
            raise docker.errors.DockerException("an engine is not asked by ssh")
        super().__init__(base_url=url, version=MINIMUM_DOCKER_API_VERSION, timeout=TIMEOUT_SECONDS)
        self.images_asked_for: dict[str, Mapping[str, Any] | None] = {}  # a moment's answers: a client lives for one
        self._place = url
        self._waited = 0.0
        self._kept = _Connection(self._place, self.base_url)
        told = self.version(api_version=False)
        version = str(told["ApiVersion"])
        if not _API_VERSION.fullmatch(version):  # it becomes a part of every path
            raise ValueError("the engine's ApiVersion is no version")
        self._version = version
        self.told_version: Mapping[str, Any] = told

    def close(self) -> None:
        """End the connection."""
        self._kept.close()
        super().close()

    def request(self, method: str | bytes, *_: Any, **__: Any) -> requests.Response:
        """Refuse whatever is not `get`: nothing here may change what it looks at."""
        raise PermissionError(f"{method!r} is not asked of an engine")

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        """Refuse what goes around `get`."""
        raise PermissionError(f"{request.method} is not asked of an engine")

    def get(  # type: ignore[override]  # of what a Session takes, the SDK gives no more than this
        self,
        url: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
        timeout: float = TIMEOUT_SECONDS,
        **_: Any,
    ) -> requests.Response:
        """Ask one question: the whole answer within the cap and the deadline; of a stream, the beginning.

        `timeout` is how many seconds the engine may say nothing.
        """
        query = urlencode({name: value for name, value in (params or {}).items() if value is not None})
        target = url.removeprefix(self.base_url) + (f"?{query}" if query else "")
        found = requests.Response()
        found.url = url
        with _told_as_requests_does():
            answer, found.raw = (self._stream if stream else self._whole)(target, dict(headers or {}), timeout)
        found.status_code, found.reason = answer.status, answer.reason
        found.headers.update(answer.headers.items())
        return found

    def _whole(self, target: str, headers: dict[str, str], silence: float) -> tuple[http.client.HTTPResponse, Any]:
        started = time.monotonic()
        left = BUDGET_SECONDS - self._waited
        if left <= 0:
            raise TimeoutError("the engine has been waited for long enough")
        try:
            answer = self._kept.ask(target, headers, started + min(TIMEOUT_SECONDS, left), silence)
            return answer, BytesIO(_read(answer))
        except BaseException:
            self._kept.close()  # what is left of the answer must not be taken for the next one
            raise
        finally:
            self._waited += time.monotonic() - started

    def _stream(self, target: str, headers: dict[str, str], silence: float) -> tuple[http.client.HTTPResponse, Any]:
        connection = _Connection(self._place, self.base_url)
        try:
            answer = connection.ask(target, headers, time.monotonic() + STREAM_SECONDS, silence)
            if answer.status == 200:
                return answer, _Stream(connection, answer)
            refusal = BytesIO(_read(answer))
        except BaseException:
            connection.close()
            raise
        connection.close()
        return answer, refusal

    def _stream_raw_result(self, response: requests.Response, chunk_size: int, decode: bool) -> Iterator[bytes]:
        """The chunks of a stream; unlike the SDK's, this leaves the deadline in force."""
        try:
            yield from response.iter_content(chunk_size, decode)
        finally:
            response.raw.close()


class _Deadline:
    """A moment of the monotonic clock up to which is waited."""

    moment = 0.0
    silence = 0.0  # how long is waited for anything at all

    def left(self) -> float:
        """The seconds to wait for the next piece; raises TimeoutError where the moment has passed."""
        left = self.moment - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer takes too long")
        return min(left, self.silence)


class _Socket(socket.socket):
    """A socket that waits until a deadline, however many small pieces come before it."""

    deadline: _Deadline

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        self.settimeout(self.deadline.left())
        return super().recv_into(buffer, nbytes, flags)

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.settimeout(self.deadline.left())
        super().sendall(data, flags)


class _Connection(http.client.HTTPConnection):
    """A connection to `unix:///path`, or to the host and port that the SDK found in the URL."""

    def __init__(self, url: str, address: str) -> None:
        where = urlsplit(address)
        self._path = "" if where.scheme == "http" else "/" + url.partition("://")[2].lstrip("/")
        super().__init__(where.hostname or "localhost", where.port)
        self._deadline = _Deadline()

    def connect(self) -> None:
        """Connect within the deadline."""
        if self._path:
            made = socket.socket(socket.AF_UNIX)
            made.settimeout(self._deadline.left())
            try:
                made.connect(self._path)
            except BaseException:
                made.close()
                raise
        else:
            made = socket.create_connection((self.host, self.port), self._deadline.left())
        self.sock = _Socket(fileno=made.detach())
        self.sock.deadline = self._deadline

    def ask(self, target: str, headers: dict[str, str], deadline: float, silence: float) -> http.client.HTTPResponse:
        """Send a GET and read the head of its answer; all of it is to be here at the deadline."""
        self._deadline.moment, self._deadline.silence = deadline, silence
        kept = self.sock is not None
        try:
            self.request("GET", target, headers=headers)
            return self.getresponse()
        except (BrokenPipeError, ConnectionResetError):
            if not kept:
                raise
        self.close()  # the engine ended what was idle, as Podman's service does after seconds
        self.request("GET", target, headers=headers)
        return self.getresponse()


def _read(answer: http.client.HTTPResponse) -> bytes:
    """The whole body, after which the answer is closed; raises TooLarge, and what the connection raises."""
    chunks: list[bytes] = []
    size = 0
    with closing(answer):
        while chunk := answer.read(min(_CHUNK, MAX_ANSWER + 1 - size)):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_ANSWER:
                raise TooLarge("the engine's answer is too long")
        if answer.length:  # what the head of the answer promised, less what came
            raise http.client.IncompleteRead(b"", answer.length)
    return b"".join(chunks)


@contextmanager
def _told_as_requests_does() -> Iterator[None]:
    """Turn what the connection raises into what callers of the SDK expect."""
    try:
        yield
    except requests.exceptions.RequestException:
        raise
    except TimeoutError as problem:
        raise requests.exceptions.Timeout(str(problem)) from problem
    except (OSError, http.client.HTTPException) as problem:
        raise requests.exceptions.ConnectionError(str(problem)) from problem


class _Stream:
    """The body of an answer, as requests reads it, on a connection of its own."""

    def __init__(self, connection: _Connection, answer: http.client.HTTPResponse) -> None:
        self._connection = connection
        self._answer = answer

    def read(self, size: int) -> bytes:
        with _told_as_requests_does():
            chunk = self._answer.read(size)
        if not chunk:
            self.close()
        return chunk

    def close(self) -> None:
        self._answer.close()
        self._connection.close()
