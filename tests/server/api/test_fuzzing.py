"""Asks every operation whatever its schema allows, and what it does not: no error is the server's, each is as told.

A request names what is there as often as what hypothesis makes up. The long tier asks more.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import SkipTest

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, SerializationContext
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok
from sqlalchemy import Connection

from envparity_server.api.roles import NEEDS, Stranger
from envparity_server.app import create_app
from envparity_server.evaluation import evaluate
from envparity_server.gating.model import Verdict
from envparity_server.storage.actors import Role
from envparity_server.storage.database import open_database, writing
from tests.server.asking import Asking
from tests.server.fleet import reported
from tests.server.gating.running import kept, report
from tests.server.making import ENGINE, OPERATING_SYSTEM, host, packages, section
from tests.server.notify.drifting import channel_in

# schemathesis draws with `random`, which hypothesis seeds
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module:hypothesis.errors.HypothesisWarning")

load_all_checks()
PROMISES: Any = CHECKS.get_by_names(
    ["status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)
AnyCase = Case[Any]
JSON = "application/json"
SELECTORS = (
    "env:prod", "env:dev", "env:prod,role=web", "host:web-1", "host:nobody", "env:nowhere", "baseline:shop",
    "env:prod@2026-11-01T02:00", "host:web-1@0001-01-01", "host:web-1#python/srv/shop", "env:", "",
)  # fmt: skip
TAKEN = host(OPERATING_SYSTEM, packages({"requests": "2.32.0"})).document()
selectors = st.sampled_from(SELECTORS)
# what a field or a parameter of a name is filled with as often as with what its schema allows
SENSIBLE: Mapping[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("of", "left", "right", "source", "against", "hosts", "applies_to"), selectors),
    "address": st.sampled_from(["https://192.0.2.1/hook", "https://127.0.0.1/", "http://[::1]:9/", "https://"]),
    "app": st.sampled_from(["", "shop", "nothing"]),
    "fingerprint": st.just(TAKEN),
    "kind": st.sampled_from(["", "python", "webhook", "nothing"]),
    "link": st.sampled_from(["", "https://ci.example/1"]),
    "match": st.sampled_from(["python/*", "os/distribution", "*", "["]),
    "only": st.sampled_from(["", "python", "os,python/srv", "nothing"]),
    "reference": st.sampled_from(["", "env:prod", "env:dev"]),
    "rules": st.just([]),
    "section": st.sampled_from(["", "python", "python/srv/shop"]),
    "severity": st.sampled_from(["low", [], None]),
    "ref": st.sampled_from(["", "main"]),
    "repository": st.sampled_from(["", "acme/shop"]),
    "version": st.sampled_from([1, 2]),
}
EXAMPLES, MANY = 10, 500
DOCUMENT = create_app(open_database("sqlite://")).openapi()


@dataclass(frozen=True)
class Fleet:
    """A small fleet in a database with one of everything, what it is called, and who may ask for it."""

    path: Path
    askers: Mapping[str, Mapping[str, str]]  # need of a route -> headers
    known: Mapping[str, Sequence[str]]  # parameter, or the part of the path before it -> values

    def headers(self, method: str, path: str) -> dict[str, str]:
        """Those of whoever may ask an operation."""
        return dict(self.askers.get(NEEDS[method, path], self.askers[Role.ADMIN]))

    def named(self, path: str, parameter: str) -> Sequence[str]:
        """Values of a path's parameter that name something."""
        resource = path.removeprefix("/api/v1").split("/")[1]
        return self.known.get(parameter) or self.known.get(resource, ())


@pytest.fixture(scope="module")
def fleet(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """The fleet, made once; each test asks a copy of it."""
    path = tmp_path_factory.mktemp("fleet") / "server.db"
    shutil.copyfile(migrated_file, path)
    engine = open_database(f"sqlite:///{path}")
    asking = Asking(create_app(engine), engine)
    admin = asking.as_role("admin")
    askers: dict[str, Mapping[str, str]] = {
        Role.ADMIN: admin.headers,
        Stranger.ANYBODY: asking.headers,
        Stranger.ENROLLING: asking.bearing(asking.enrolment_token(uses=100_000)).headers,
        Stranger.AGENT: asking.as_agent().headers,
    }
    with writing(engine) as connection:
        _report(connection, datetime.now(UTC))
    made = Fleet(path, askers, _decided(admin))
    engine.dispose()
    return made


def _report(connection: Connection, moment: datetime) -> None:
    for name, environment, version in (
        ("web-1", "prod", "2.31.0"), ("web-2", "prod", "2.31.0"), ("web-3", "prod", "2.31.0"),
        ("web-4", "prod", "2.32.0"), ("dev-1", "dev", "2.32.0"),
    ):  # fmt: skip
        shop = section("app/shop", {"code": {"commit": "9fceb02d"}}, kind="application")
        python = packages({"requests": version, "idna": "3.7"})
        taken = host(OPERATING_SYSTEM, ENGINE, shop, python, name=name)
        reported(connection, name, taken, moment, environment, {"role": "web"})


def _decided(admin: Asking) -> Mapping[str, Sequence[str]]:
    """Make one of everything."""

    def post(path: str, **body: Any) -> Any:
        answer = admin.ask("POST", f"/api/v1{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    rule = post("/rules", match="os-packages/linux-*", hosts="env:dev", reason="laptops")["rule"]
    post("/baselines", name="shop", source="env:prod", reason="release 4.2")
    post("/baselines/shop/approve", version=1)
    deploy = post("/deploys", hosts="env:prod", name="shop 1.5")
    token, enrolment = post("/tokens", role="viewer", name="reader"), post("/enrolment-tokens", environment="prod")
    post("/people", name="ada", role="viewer")
    with writing(admin.engine) as connection:
        channel = channel_in(connection, hosts="env:prod").name
        runs = [str(kept(connection)), str(kept(connection, report(Verdict.PARITY)))]
        evaluate(connection, datetime.now(UTC))
    drifts = [one["id"] for one in admin.get("/api/v1/drifts", state="all").json()["drifts"]]
    assert drifts
    return {
        "host_id": [one["id"] for one in admin.get("/api/v1/hosts").json()["hosts"]],
        "token_id": [token["id"], enrolment["id"]],
        "applications": ["shop"],
        "baselines": ["shop"],
        "channels": [channel],
        "deploys": [deploy["id"]],
        "drifts": drifts,
        "environments": ["prod", "dev"],
        "gate-runs": runs,
        "people": ["ada"],
        "rules": [rule["id"]],
    }


@schemathesis.serializer("application/x-ndjson")
def as_lines(_: SerializationContext, value: Any) -> bytes:
    """Whatever is made up, as text in bytes."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


OPERATIONS = {
    (one.ok().method.upper(), one.ok().path): one.ok()
    for one in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
    if isinstance(one, Ok)
}
every_operation = pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=lambda value: value)


@st.composite
def cases(draw: st.DrawFn, fleet: Fleet, method: str, path: str) -> AnyCase:
    """A request that the schema allows or not, some of whose names are those of what is there."""
    mode = draw(st.sampled_from(GenerationMode))
    try:
        case = draw(OPERATIONS[method, path].as_strategy(generation_mode=mode))
    except SkipTest:  # an operation without parameters cannot be asked wrongly
        case = draw(OPERATIONS[method, path].as_strategy())
    for name in case.path_parameters:
        there = fleet.named(path, name)
        if draw(st.booleans()) and there:
            case.path_parameters[name] = draw(st.sampled_from(there))
    if draw(st.booleans()):
        for place in (case.query, case.body):
            if isinstance(place, dict):
                place.update({name: draw(SENSIBLE[name]) for name in sorted(SENSIBLE.keys() & place.keys())})
    if path == "/api/v1/pivot" and isinstance(case.query.get("of"), str):
        case.query["of"] = [case.query["of"], "env:prod"]
    return case


@contextmanager
def asked(fleet: Fleet) -> Iterator[Callable[[AnyCase], int]]:
    """Ask the application on a copy of the fleet; what is answered, which is checked, is told by its status."""
    copy = fleet.path.with_name("copy.db")
    shutil.copyfile(fleet.path, copy)
    engine = open_database(f"sqlite:///{copy}")
    app = create_app(engine)

    def ask(case: AnyCase) -> int:
        response = case.call(app=app, headers=fleet.headers(case.method, case.path))
        assert response.status_code < 500 or response.status_code == 503, f"{case.as_curl_command()}\n{response.text}"
        case.validate_response(response, checks=PROMISES)
        return response.status_code

    yield ask
    engine.dispose()


def check(fleet: Fleet, method: str, path: str, examples: int) -> None:
    """Ask an operation so many times."""
    with asked(fleet) as ask:

        @settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases(fleet, method, path))
        def ask_whatever(case: AnyCase) -> None:
            ask(case)

        ask_whatever()


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("GET", "/api/v1/fingerprints", {"query": {"of": "env:prod"}}),
        ("GET", "/api/v1/compare", {"query": {"left": "env:prod", "right": "env:dev"}}),
        ("GET", "/api/v1/explain", {"query": {"good": "env:prod", "bad": "env:dev"}}),
        ("POST", "/api/v1/explain", {"body": {"good": "env:prod", "bad": "env:dev"}, "media_type": JSON}),
        ("GET", "/api/v1/majority", {"query": {"of": "env:prod"}}),
        ("GET", "/api/v1/pivot", {"query": {"of": ["env:prod", "env:dev"]}}),
        ("POST", "/api/v1/gates", {"body": {"fingerprint": TAKEN, "against": "env:prod"}, "media_type": JSON}),
    ],
)
def test_what_is_sent_as_it_stands_is_as_the_document_tells(
    fleet: Fleet, method: str, path: str, more: Mapping[str, Any]
) -> None:
    with asked(fleet) as ask:
        assert ask(OPERATIONS[method, path].Case(**more)) == 200


@every_operation
def test_no_question_is_an_error_of_the_server(fleet: Fleet, method: str, path: str) -> None:
    check(fleet, method, path, EXAMPLES)


@pytest.mark.long
@every_operation
def test_no_question_of_many_is_an_error_of_the_server(fleet: Fleet, method: str, path: str) -> None:
    check(fleet, method, path, MANY)
