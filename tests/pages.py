"""Every page of the dashboard, with an address at which it shows something, for pictures and benchmarks."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from sqlalchemy import Engine

from envparity_server.app import FOR_PROGRAMS
from envparity_server.dashboard.addresses import permalink
from envparity_server.gating.model import Standing, Verdict
from envparity_server.jobs import JOBS
from envparity_server.settings import DEFAULTS
from envparity_server.storage.database import writing
from tests.server.api.routes import routes
from tests.server.asking import Asking
from tests.server.gating.running import finding, kept, report

_DOCUMENTS = (".json", ".csv", ".bin")
_NO_PAGES = {  # what pages fetch after they were shown
    "/events", "/static", "/compare/causes", "/overview/pair", "/rules/{id}/preview",
}  # fmt: skip
_PARAMETER = re.compile(r"\{\w+\}")
API_PAGE = "/api/docs"
_QUERIES: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "/compare": ({}, {"left": "env:dev", "right": "env:prod"}),
    "/hosts": ({}, {"q": "prod"}, {"q": "nothing-is-called-so"}),
    "/hosts/{host_id}": ({}, {"section": "os-packages"}),
    "/packages/item": ({"section": "os-packages", "item": "package-007"},),
    "/rules/new": ({"match": "os-packages/linux-image-*", "hosts": "env:dev"},),
    "/search": ({}, {"q": "package-00"}, {"q": "nothing-is-called-so"}),
}


def addresses(asking: Asking) -> dict[str, str]:
    """Name -> address of every page that a person who asks finds on this server; one of nothing is left out."""
    found = {}
    there = _there(asking)
    for path in _paths(asking):
        about = path.partition("/{")[0]
        if about != path and about not in there:
            continue
        filled = _PARAMETER.sub(quote(there.get(about, ""), safe=""), path)
        name = _PARAMETER.sub("one", path).strip("/").replace("/", "-") or "overview"
        for number, query in enumerate(_QUERIES.get(path, ({},))):
            found[name + (f"-{number}" if number else "")] = permalink(filled, 1, **query)
    return found


def _paths(asking: Asking) -> Iterator[str]:
    for method, path in routes(asking.app):
        is_page = path == API_PAGE or not path.startswith(FOR_PROGRAMS)
        if method == "GET" and is_page and path not in _NO_PAGES and not path.endswith(_DOCUMENTS):
            yield path


def _there(asking: Asking) -> dict[str, str]:
    """What stands for one of each list: its address in place of an id."""
    asked = {
        "/hosts": ("hosts", "id"), "/drifts": ("drifts", "id"), "/rules": ("rules", "id"),
        "/baselines": ("baselines", "name"), "/gates": ("gate-runs", "id"),
    }  # fmt: skip
    found = {}
    for about, (resource, key) in asked.items():
        listed = asking.get(f"/api/v1/{resource}").json()
        [rows] = [value for value in listed.values() if isinstance(value, list)]
        if rows:
            found[about] = str(rows[0][key])
    return found


def furnish(asking: Asking, engine: Engine) -> None:
    """Give a server with hosts what people and pipelines leave on it: rules, baselines, a deploy, runs, drifts."""
    operator = asking.as_role("operator")
    soon = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    for match, reason in (
        ("os/machine/*", "each machine has its own"),
        ("os-packages/linux-image-*", "kernels differ"),
    ):
        _made(operator, "rules", match=match, reason=reason, owner="platform team", expires=soon)
    _made(operator, "baselines", name="release-4.2", source="env:prod", reason="release 4.2 passed its tests")
    _made(operator, "deploys", hosts="env:dev", name="release 4.3", link="https://ci.example/shop/513")
    verdicts = (report(Verdict.DRIFT, [finding(), finding("zlib1g", Standing.EXPECTED)]), report(Verdict.PARITY))
    with writing(engine) as connection:
        for number, one in enumerate(verdicts):
            kept(connection, one, at=datetime.now(UTC) - timedelta(hours=number))
    [evaluate] = [one for one in JOBS if one.name == "evaluate"]
    evaluate.run(engine, DEFAULTS.model_copy(update={"settle": 0}), datetime.now(UTC))


def _made(operator: Asking, resource: str, **body: str) -> None:
    answer = operator.ask("POST", f"/api/v1/{resource}", json=body)
    assert answer.is_success, answer.text
