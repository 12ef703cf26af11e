"""Problem responses: every refusal says what is wrong and what to do next (RFC 9457)."""

import random
from http import HTTPStatus

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from envparity_agent.errors import CannotTell, EnvparityError
from envparity_server.intake import Conflict
from envparity_server.storage.baselines import NoBaseline
from envparity_server.storage.people import AlreadyThere, Busy

_MORE_HEADERS = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
    # what is left of the body is not read
    HTTPStatus.BAD_REQUEST: {"Connection": "close"},
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: {"Connection": "close"},
}

# the database is locked, full, gone, read-only or stopping, a transaction was ended for another one's sake or idled too
# long, or all connections are in use: nothing was committed. https://www.psycopg.org/psycopg3/docs/api/errors.html
UNAVAILABLE = (OperationalError, InterfaceError, InternalError, PoolTimeoutError)


class Problem(EnvparityError):
    """A refusal with its HTTP status."""

    def __init__(self, status: int, message: str, advice: str = "") -> None:
        super().__init__(message, advice)
        self.status = status


def status_of(problem: EnvparityError) -> int:
    """The HTTP status of an error."""
    if isinstance(problem, Problem):
        return problem.status
    if isinstance(problem, Conflict | AlreadyThere):
        return HTTPStatus.CONFLICT
    if isinstance(problem, NoBaseline):
        return HTTPStatus.NOT_FOUND
    if isinstance(problem, Busy):
        return HTTPStatus.SERVICE_UNAVAILABLE
    # the question is right, but its answer is not there (yet)
    return HTTPStatus.FAILED_DEPENDENCY if isinstance(problem, CannotTell) else HTTPStatus.UNPROCESSABLE_ENTITY


def problem_response(status: int, detail: str, advice: str = "") -> JSONResponse:
    """The response of a problem."""
    body = {"title": HTTPStatus(status).phrase, "status": int(status), "detail": detail, "advice": advice}
    headers = _MORE_HEADERS.get(HTTPStatus(status))
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def unavailable(detail: str) -> JSONResponse:
    """The response while the database cannot be used; all are told another time to come again."""
    response = problem_response(HTTPStatus.SERVICE_UNAVAILABLE, detail, "try again")
    response.headers["Retry-After"] = str(random.randint(5, 30))  # noqa: S311  # spreads the herd, hides nothing
    return response


async def on_error(request: Request, problem: Exception) -> JSONResponse:
    """Answer with an error of envparity or of the framework."""
    if isinstance(problem, EnvparityError):
        return problem_response(status_of(problem), str(problem), problem.advice)
    if isinstance(problem, HTTPException):
        return problem_response(problem.status_code, str(problem.detail))
    if isinstance(problem, RequestValidationError):
        return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, told(problem))
    if isinstance(problem, UNAVAILABLE):
        return unavailable("the database cannot be used now")
    known = getattr(request.state, "request_id", "")
    return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, f"the server failed; its log says why, under {known}")


def told(problem: RequestValidationError) -> str:
    """The first thing that is wrong with a request, by its place."""
    first = problem.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
