"""Records a release: run by its own code, whose tree is before this one on the path.

PYTHONPATH=RELEASE/agent:RELEASE/server:. python -m tests.server.releases.recording tests/server/releases/0.1.0

    database.ndjson   every row of every table, so that it can be put into either database
    answers.json      what the release answered from it
    exchange.ndjson   what its agent sent to enrol and to report a small host, and what it was answered
"""

import base64
import json
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
from fastapi import FastAPI
from sqlalchemy import Connection, Engine, select

from envparity_agent.client import Client
from envparity_agent.collectors.interface import Options
from envparity_agent.fingerprint import Attributes, Fingerprint, Section, Status, Target
from envparity_agent.spool import Report
from envparity_agent.state import Enrolment
from envparity_agent.targets import host as survey
from envparity_server import intake
from envparity_server.app import create_app
from envparity_server.references import compare_selectors, resolve
from envparity_server.storage import access, hosts
from envparity_server.storage.database import migrate, open_database, reading, writing
from envparity_server.storage.tables import metadata
from tests.agent.trees import distribution, interpreter, system, venv
from tests.server.asking import Asking

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
END = NOON + timedelta(hours=6)
LIFE = timedelta(days=365 * 70)
EPOCH = "00112233"
MANY = 90  # sections: more than one object of a root holds
SELECTORS = (
    "host:web-1", "host:web-2", "host:many", "env:prod", "env:dev", "env:prod,role=web",
    f"host:web-1@{NOON.isoformat()}", f"host:web-1@{(NOON + timedelta(minutes=70)).isoformat()}",
    f"host:web-1@{(NOON + timedelta(minutes=150)).isoformat()}", f"env:prod@{(NOON + timedelta(hours=1)).isoformat()}",
    "host:web-1#python/srv/shop",
)  # fmt: skip
PAIRS = (
    ("env:dev", "env:prod"), ("host:web-1", "host:web-2"), ("host:many", "host:web-1"), (SELECTORS[6], "host:web-1"),
    (SELECTORS[7], SELECTORS[6]), (SELECTORS[8], SELECTORS[6]),
)  # fmt: skip


def small_host(root: Path) -> Path:
    """The files of the host whose reports are recorded: always the same."""
    system(root)
    interpreter(root)
    site = venv(root, "srv/shop/.venv")
    for name, version in (("idna", "3.7"), ("requests", "2.32.3")):
        distribution(site, name, version)
    return root


def main(output: Path) -> None:
    """Record the release whose code this process runs."""
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        engine = _fresh(Path(home) / "fleet.db")
        secrets = _fill(engine)
        with reading(engine) as connection:
            _write_lines(output / "database.ndjson", _rows(connection))
            answers = {"secrets": secrets, **_answers(connection)}
        (output / "answers.json").write_text(json.dumps(answers, indent=1, sort_keys=True) + "\n")
        engine.dispose()
        engine = _fresh(Path(home) / "exchange.db")  # where nothing is stored yet that the agent need not send
        _write_lines(output / "exchange.ndjson", _exchange(engine, small_host(Path(home) / "root")))
        engine.dispose()


def _fresh(path: Path) -> Engine:
    engine = open_database(f"sqlite:///{path}")
    migrate(engine)
    return engine


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(f"{json.dumps(row, sort_keys=True)}\n" for row in rows))


# --- a small fleet with a history ---


def _fill(engine: Engine) -> dict[str, str]:
    """Four hosts that report: A, B, A; one that cannot read all, one with many sections; returns who may ask."""
    a, b = _web("3.4"), _web("3.7")
    web, twin, many = (
        _host(engine, name, "prod", role) for name, role in (("web-1", "web"), ("web-2", "web"), ("many", "db"))
    )
    dev = _host(engine, "dev-1", "dev", "web")
    _host(engine, "silent", "dev", "db")
    for minutes, one, fingerprint in (
        (0, web, a), (15, twin, a), (30, web, a), (60, web, b), (75, web, b), (120, web, a), (130, twin, b),
        (140, dev, _web("3.4", failed=True)), (150, many, _many()), (200, dev, b), (350, web, a), (350, many, _many()),
        (355, twin, b), (355, dev, b),
    ):  # fmt: skip
        _report(engine, one, fingerprint, NOON + timedelta(minutes=minutes))
    with writing(engine) as connection:
        return {
            "viewer": access.make_access_token(connection, "viewer", "reader", LIFE, NOON),
            "ci": access.make_access_token(connection, "ci", "pipeline", LIFE, NOON),
            "enrolment": access.make_enrolment_token(connection, "prod", 9, LIFE, NOON),
            "credential": _credential("web-1"),
            "host": web,
        }


def _web(idna: str, failed: bool = False) -> Fingerprint:
    packages: dict[str, Attributes] = {f"package-{number}": {"version": f"1.{number}"} for number in range(100)}
    sections = [
        Section("os", "os", 1, {"distribution": {"id": "debian", "version": "12", "name": "Debian GNU/Linux 12"}}),
        Section("os-packages", "os-packages", 2, packages),
        Section("python", "python-search", 2),
        Section("python/srv/shop", "python", 2, {"idna": {"version": idna}, "requests": {"version": "2.32.3"}}),
        Section("containers", "containers", 2, {}, Status.ABSENT, ("not-installed",)),
    ]
    if failed:
        sections[1] = Section("os-packages", "os-packages", 2, {}, Status.FAILED, ("permission",))
    return _fingerprint("web", sections)


def _many() -> Fingerprint:
    return _fingerprint(
        "many",
        [
            Section(f"python/srv/{number}", "python", 2, {"idna": {"version": f"3.{number % 5}"}})
            for number in range(MANY)
        ],
    )


def _fingerprint(name: str, sections: list[Section]) -> Fingerprint:
    return Fingerprint(Target("host", name), NOON.isoformat(), {one.path: one for one in sections})


def _credential(name: str) -> str:
    return f"epa_credential-of-{name:->32}"


def _host(engine: Engine, name: str, environment: str, role: str) -> str:
    host_id = access.hashed(name)[:16]
    with writing(engine) as connection:
        hosts.add(connection, host_id, name, environment, {"role": role}, access.hashed(_credential(name)), NOON)
    return host_id


def _report(engine: Engine, host_id: str, fingerprint: Fingerprint, moment: datetime) -> None:
    asking = Asking(create_app(engine), engine)
    with reading(engine) as connection:
        host = hosts.by_id(connection, host_id)
    assert host is not None
    sent = asking.bearing(_credential(host.name)).upload(*fingerprint.objects().values())
    assert sent.status_code == 200, sent.text
    head = {
        "root": fingerprint.root, "taken_at": moment.isoformat(), "identity": {"hostname": host.name}, "observed": {},
        "interval": 900, "agent": "0.1.0",
    }  # fmt: skip
    with writing(engine) as connection:
        assert intake.accept(connection, host, EPOCH, (host.seq or 0) + 1, head, moment) == (False, [])


def _rows(connection: Connection) -> list[dict[str, Any]]:
    return [
        {"table": name, "row": {key: _portable(value) for key, value in row._mapping.items()}}
        for name, table in metadata.tables.items()
        for row in connection.execute(select(table).order_by(*table.primary_key.columns))
    ]


def _portable(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    return {"moment": value.isoformat()} if isinstance(value, datetime) else value


def _answers(connection: Connection) -> dict[str, Any]:
    def fingerprint(selector: str) -> dict[str, Any]:
        found = resolve(connection, selector, END)
        return {
            "notes": found.notes,
            "sections": {path: f"sha256:{one.hash}" for path, one in sorted(found.fingerprint.sections.items())},
        }

    def comparison(left: str, right: str) -> dict[str, Any]:
        found, notes = compare_selectors(connection, left, right, END)
        return {"left": left, "right": right, "notes": notes, "comparison": found.document()}

    return {
        "fingerprints": {selector: fingerprint(selector) for selector in SELECTORS},
        "comparisons": [comparison(left, right) for left, right in PAIRS],
    }


# --- what an agent sends ---


class _Recorder(httpx.BaseTransport):
    """Carries requests to the application and keeps them with their answers."""

    def __init__(self, application: FastAPI) -> None:
        self._application = application
        self.exchange: list[dict[str, Any]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self._application)
            again = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
            answer = await transport.handle_async_request(again)
            return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

        answer = anyio.run(once)
        self.exchange.append(_exchanged(request, answer))
        return answer


def _exchanged(request: httpx.Request, answer: httpx.Response) -> dict[str, Any]:
    kept: Mapping[str, str] = {
        name: request.headers[name]
        for name in ("authorization", "content-type", "content-encoding", "user-agent")
        if name in request.headers
    }
    return {
        "method": request.method,
        "path": request.url.raw_path.decode(),
        "headers": kept,
        "body": base64.b64encode(request.read()).decode(),
        "status": answer.status_code,
        "answer": answer.json(),
    }


def _exchange(engine: Engine, root: Path) -> list[dict[str, Any]]:
    """The agent enrols the small host and reports it twice: whole, then as one hash."""
    with writing(engine) as connection:
        token = access.make_enrolment_token(connection, "prod", 1, LIFE, datetime.now(UTC))
    recorder = _Recorder(create_app(engine))
    enrolment = Enrolment("http://envparity.test", str(root))
    found = survey(Options(root=str(root)))
    with Client(enrolment.server, token, recorder) as client:
        client.enrol(enrolment, "small", None, {"role": "web"})
    with Client(enrolment.server, enrolment.credential, recorder) as client:
        for seq in (1, 2):
            client.report(Report(enrolment.epoch, seq, found), enrolment.host_id, 900)
    return recorder.exchange


if __name__ == "__main__":
    main(Path(sys.argv[1]))
