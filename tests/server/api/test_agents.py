"""Tests of what agents do: enrol, report, and send what the server lacks; with the agent's own client, too."""

from datetime import timedelta
from typing import Any

import anyio
import httpx
import pytest
from sqlalchemy import Engine, select

from envparity_agent.client import Client
from envparity_agent.errors import CannotTell
from envparity_agent.spool import Report
from envparity_agent.state import Enrolment
from envparity_server.app import create_app
from envparity_server.storage import access, hosts
from envparity_server.storage.database import reading, writing
from envparity_server.storage.tables import enrolment_token
from tests.server.asking import CREDENTIAL, HOST_ID, Asking
from tests.server.making import NOON, OPERATING_SYSTEM, host, packages, section, versions

A = host(OPERATING_SYSTEM, packages({"idna": "3.4"}))
B = host(OPERATING_SYSTEM, packages({"idna": "3.7"}))
MANY = host(section("os-packages", versions({f"package-{number}": "1.0" for number in range(300)})))


def the_host(asking: Asking, host_id: str = HOST_ID) -> hosts.Host:
    """A host as it is stored."""
    with reading(asking.engine) as connection:
        found = hosts.by_id(connection, host_id)
    assert found is not None
    return found


def test_an_agent_enrols_with_a_token(api: Asking) -> None:
    answer = api.enrol(api.enrolment_token("prod"), labels={"role": "web"})
    assert (answer.status_code, answer.json()) == (200, {"host": HOST_ID, "environment": "prod"})
    one = the_host(api)
    assert (one.name, one.environment, one.labels, one.root) == ("web-1", "prod", {"role": "web"}, None)


def test_enrolling_again_gives_the_same_answer_and_spends_no_use(api: Asking) -> None:
    token = api.enrolment_token("prod", uses=2)
    answers = [api.enrol(token) for _ in range(3)]
    assert {(one.status_code, one.text) for one in answers} == {(200, answers[0].text)}
    with reading(api.engine) as connection:
        assert connection.scalar(select(enrolment_token.c.uses_left)) == 1


def test_a_host_id_that_is_taken_is_a_conflict(api: Asking) -> None:
    api.as_agent()
    answer = api.enrol(api.enrolment_token("prod"), credential="x" * 32)
    assert answer.status_code == 409
    assert api.bearing(CREDENTIAL).upload().status_code == 200


def test_nobody_learns_which_hosts_there_are(api: Asking) -> None:
    api.as_agent()
    taken, free = (api.enrol("unknown", host_id, credential="x" * 32) for host_id in (HOST_ID, "f" * 16))
    assert (taken.status_code, taken.text) == (free.status_code, free.text) == (401, free.text)


@pytest.mark.parametrize("wrong", ["environment", "used", "expired", "unknown", "access", "credential"])
def test_a_token_that_does_not_allow_it_enrols_nobody(small_api: Asking, wrong: str) -> None:
    long_ago = NOON - timedelta(days=5000)
    with writing(small_api.engine) as connection:
        expired = access.make_enrolment_token(connection, None, 1, timedelta(days=1), long_ago)
        viewer = access.make_access_token(connection, "viewer", "", timedelta(days=5000), NOON)
    used = small_api.enrolment_token()
    assert small_api.enrol(used, "e" * 16, credential="y" * 32).status_code == 200
    token = {
        "environment": small_api.enrolment_token("dev"),
        "used": used,
        "expired": expired,
        "unknown": "epe_unknown",
        "access": viewer,
        "credential": "y" * 32,
    }[wrong]
    answer = small_api.enrol(token)
    assert answer.status_code == 401
    with reading(small_api.engine) as connection:
        assert hosts.by_id(connection, HOST_ID) is None


ODD = ["", " ", "a b", "ä", "a/b", "a,b", "a@b", "a#b", "a=b", "-a", ".a", "a" * 64, "a\n", "\na", "a\0", "<b>", "'--"]


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("where", ["environment", "label", "value"])
def test_a_name_that_a_selector_could_not_say_is_refused(small_api: Asking, where: str, text: str) -> None:
    cases: dict[str, dict[str, Any]] = {
        "environment": {"environment": text},
        "label": {"labels": {text: "web"}},
        "value": {"labels": {"role": text}},
    }
    assert small_api.enrol(small_api.enrolment_token(), **cases[where]).status_code == 422


@pytest.mark.parametrize(
    "changed",
    [
        {"name": ""},
        {"name": "x" * 256},
        {"name": 1},
        {"name": None},
        {"name": "web\0"},
        {"credential": "short"},
        {"credential": None},
        {"environment": 1},
        {"environment": ["prod"]},
        {"labels": []},
        {"labels": {"role": 1}},
    ],
)
def test_a_bad_enrolment_is_refused(api: Asking, changed: dict[str, Any]) -> None:
    answer = api.enrol(api.enrolment_token(), **changed)
    assert answer.status_code == 422
    assert answer.json()["detail"]


@pytest.mark.parametrize("name", ["x" * 255, "web 1", "wéb", "<script>", "web\n1", "=cmd|' /C calc'!A0"])
def test_a_host_may_be_called_anything_that_is_text(api: Asking, name: str) -> None:
    assert api.enrol(api.enrolment_token(), name=name).status_code == 200
    assert the_host(api).name == name


@pytest.mark.parametrize(
    "path",
    [
        "hosts/ABCDEF0123456789", "hosts/0123", "hosts/0123456789abcdeg", "hosts/" + "0" * 65,
        "hosts/0123456789abcdef%0a", "hosts/%00123456789abcdef",
        "hosts/0123456789abcde%F0", "hosts/..%2f..%2fetc", "hosts/'%20OR%201=1",
        "reports/00112233/0", "reports/00112233/-1", "reports/00112233/2147483648", "reports/00112233/x",
        "reports/00112233/1.5", "reports/0011223/1", "reports/0011223G/1", "reports/00112233%0a/1",
        "reports/" + "0" * 65 + "/1", "reports/%00%00%00%00%00%00%00%00/1",
    ],
)  # fmt: skip
def test_an_id_with_odd_characters_is_refused(small_api: Asking, path: str) -> None:
    enrolling = path.startswith("hosts/")
    asking = small_api.bearing(small_api.enrolment_token()) if enrolling else small_api.as_agent("f" * 16, "g" * 32)
    answer = asking.ask("PUT", f"/api/v1/{path}", json={})
    assert answer.status_code in (404, 422)
    assert answer.status_code == 422 or "%2f" in path


def test_a_report_is_delivered_hash_first(api: Asking) -> None:
    agent = api.as_agent()
    assert agent.report(MANY).json() == {"accepted": False, "missing": [MANY.root]}
    objects, wanted, rounds = MANY.objects(), [MANY.root], 0
    while wanted:
        wanted = agent.upload(*(objects[hash] for hash in wanted)).json()["missing"]
        rounds += 1
    assert rounds == 3
    accepted = {"accepted": True, "root": MANY.root, "seq": 1, "duplicate": False}
    assert agent.report(MANY).json() == accepted
    assert agent.report(MANY).json() == {**accepted, "duplicate": True}


def test_a_second_host_sends_only_what_is_new(api: Asking) -> None:
    api.as_agent().deliver(A)
    other = api.as_agent("f" * 16, "g" * 32)
    assert other.report(A, host_id="f" * 16).json()["accepted"] is True
    assert other.report(B, 2, host_id="f" * 16).json()["missing"] == [B.root]
    python = B.sections["python/srv/shop"]
    assert other.upload(B.body).json()["missing"] == [python.hash]
    assert other.upload(python.body).json()["missing"] == list(python.page_hashes)


def test_what_was_reported_is_what_is_stored(api: Asking) -> None:
    agent = api.as_agent()
    agent.deliver(A, identity={"hostname": "wéb\N{SNOWMAN}"}, observed={"os": {"uptime": 5}}, interval=3600)
    one = the_host(api)
    assert (one.root, one.seq, one.interval, one.identity, one.observed) == (
        A.root, 1, 3600, {"hostname": "wéb\N{SNOWMAN}"}, {"os": {"uptime": 5}},
    )  # fmt: skip


@pytest.mark.parametrize(("interval", "kept"), [(1, 60), (0, 60), (-5, 60), (10**9, 604800), (900, 900)])
def test_an_interval_is_kept_within_bounds(small_api: Asking, interval: int, kept: int) -> None:
    small_api.as_agent().deliver(A, interval=interval)
    assert the_host(small_api).interval == kept


def test_a_report_in_the_name_of_another_host_is_forbidden(api: Asking) -> None:
    api.as_agent()
    other = api.as_agent("f" * 16, "g" * 32)
    answer = other.deliver(A, host_id=HOST_ID)
    assert answer.status_code == 403
    assert the_host(api).root is the_host(api, "f" * 16).root is None


def test_the_same_number_with_other_content_is_a_conflict(api: Asking) -> None:
    agent = api.as_agent()
    agent.deliver(A, 5)
    for seq in (5, 4):
        answer = agent.deliver(B, seq)
        assert answer.status_code == 409
        assert answer.headers["content-type"] == "application/problem+json"
        assert "enroll" in answer.json()["advice"]
    assert the_host(api).root == A.root
    assert agent.deliver(B, 1, epoch="44556677").json()["accepted"] is True


@pytest.mark.parametrize(
    "changed",
    [
        {"root": "0" * 63},
        {"root": "G" * 64},
        {"root": "0" * 64 + "\n"},
        {"root": f"sha256:{'0' * 64}"},
        {"root": None},
        {"taken_at": "yesterday"},
        {"taken_at": ""},
        {"taken_at": 5},
        {"interval": "900"},
        {"interval": True},
        {"interval": None},
        {"agent": None},
        {"agent": "1.0\0"},
        {"identity": []},
        {"identity": {"a": {"b": "c"}}},
        {"identity": {"a": "x" * 1025}},
        {"observed": {"os": "x"}},
        {"observed": {str(number): {} for number in range(5000)}},
        {"host": None},
    ],
)
def test_a_bad_report_is_refused(api: Asking, changed: dict[str, Any]) -> None:
    agent = api.as_agent()
    agent.upload(*A.objects().values())
    answer = agent.report(A, **changed)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert the_host(api).root is None


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00", "2026-11-01"])
def test_the_clock_of_an_agent_orders_nothing(api: Asking, moment: str) -> None:
    agent = api.as_agent()
    assert agent.deliver(A, 1, taken_at=moment).json()["accepted"] is True
    assert agent.deliver(B, 2).json()["accepted"] is True
    assert api.as_role("viewer").get("/api/v1/fingerprints", of="host:web-1").status_code == 200


@pytest.mark.parametrize("garbage", [b"{}", b"[]", b"x", b'{"items":{"a":1}}', b'{"items":{"a":{"b":1.5}}}'])
def test_an_object_that_breaks_the_contract_is_refused(small_api: Asking, garbage: bytes) -> None:
    answer = small_api.as_agent().upload(OPERATING_SYSTEM.body, garbage)
    assert answer.status_code == 422
    assert small_api.bearing(CREDENTIAL).report(A).json()["missing"] == [A.root]


@pytest.mark.parametrize("status", [{}, {"a": 1}])
def test_a_section_whose_status_is_no_text_is_refused(small_api: Asking, status: object) -> None:
    body = {"kind": "os", "schema": 1, "status": status, "reasons": [], "count": 0, "pages": []}
    assert small_api.as_agent().ask("PUT", "/api/v1/objects", json=body).status_code == 422


@pytest.mark.parametrize("which", ["page", "section"])
def test_a_root_that_is_none_is_refused_and_breaks_no_page(api: Asking, which: str) -> None:
    agent = api.as_agent()
    agent.upload(*A.objects().values())
    os = A.sections["os"]
    answer = agent.report(A, root=os.hash if which == "section" else os.page_hashes[0])
    assert 400 <= answer.status_code < 500
    assert api.logged_in().get("/hosts").status_code == 200
    assert api.logged_in().get(f"/hosts/{HOST_ID}").status_code == 200


def test_what_a_newer_agent_tells_beside_is_accepted_and_counted(small_api: Asking) -> None:
    agent = small_api.as_agent()
    agent.upload(*A.objects().values())
    assert agent.report(A, mood="good", colours=["red"]).json()["ignored"] == 2
    assert "ignored" not in agent.report(B, seq=2).json()
    assert agent.deliver(B, seq=2).json()["accepted"]


@pytest.mark.parametrize("missing", ["identity", "observed"])
def test_what_an_older_agent_does_not_tell_is_taken_as_empty(small_api: Asking, missing: str) -> None:
    agent = small_api.as_agent()
    agent.upload(*A.objects().values())
    head = {"host": HOST_ID, "root": A.root, "taken_at": NOON.isoformat(), "interval": 900, "agent": "0.1.0"}
    head |= {name: {} for name in ("identity", "observed") if name != missing}
    assert agent.ask("PUT", "/api/v1/reports/00112233/1", json=head).json()["accepted"]
    assert getattr(the_host(small_api), missing) == {}


@pytest.mark.parametrize("schema", [999, -1, "x", None, True])
def test_a_document_of_an_unknown_schema_is_refused_with_what_is_known(small_api: Asking, schema: object) -> None:
    document = {**A.document(), "schema": schema}
    question = {"fingerprint": document, "against": "env:prod"}
    answer = small_api.as_role("ci").ask("POST", "/api/v1/gates", json=question)
    assert answer.status_code == 422
    assert "not a fingerprint of schema 1" in answer.text


class InProcess(httpx.BaseTransport):
    """Carries what the agent's client sends to the application, without a socket."""

    def __init__(self, asking: Asking) -> None:
        self._app = asking.app
        self.sent: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request.url.path)

        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            again = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
            answer = await transport.handle_async_request(again)
            return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

        return anyio.run(once)


def test_the_client_of_the_agent_enrols_and_delivers(database: Engine) -> None:
    asking = Asking(create_app(database), database)
    carrier = InProcess(asking)
    enrolment = Enrolment("http://envparity.test", "/").next()
    with Client(enrolment.server, asking.enrolment_token("prod"), carrier) as client:
        assert client.enrol(enrolment, "web-1", None, {"role": "web"}) == "prod"
    with Client(enrolment.server, enrolment.credential, carrier) as client:
        client.report(Report(enrolment.epoch, enrolment.seq, MANY), enrolment.host_id, 900)
        carrier.sent.clear()
        again = enrolment.next()
        client.report(Report(again.epoch, again.seq, MANY), again.host_id, 900)
    assert len(carrier.sent) == 1
    assert (the_host(asking, enrolment.host_id).root, the_host(asking, enrolment.host_id).seq) == (MANY.root, 2)
    viewer = asking.as_role("viewer").headers["Authorization"].removeprefix("Bearer ")
    with Client(enrolment.server, viewer, carrier) as client:
        found, notes, _ = client.fingerprint("host:web-1")
    assert (found.root, notes) == (MANY.root, [])


def test_the_client_of_a_cloned_agent_is_told_to_enrol_anew(database: Engine) -> None:
    asking = Asking(create_app(database), database)
    enrolment = Enrolment("http://envparity.test", "/").next()
    carrier = InProcess(asking)
    with Client(enrolment.server, asking.enrolment_token(), carrier) as client:
        client.enrol(enrolment, "web-1", None, {})
    with Client(enrolment.server, enrolment.credential, carrier) as client:
        client.report(Report(enrolment.epoch, enrolment.seq, A), enrolment.host_id, 900)
        with pytest.raises(CannotTell, match="HTTP 409") as refused:
            client.report(Report(enrolment.epoch, enrolment.seq, B), enrolment.host_id, 900)
    assert "envparity agent enroll" in refused.value.advice
