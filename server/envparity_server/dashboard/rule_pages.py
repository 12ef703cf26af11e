"""The pages Rules and Rule: what is expected, why and until when, with a preview of what a rule hides."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from envparity_agent.errors import EnvparityError, UsageError
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.problems import status_of
from envparity_server.api.rules import RuleId, change, make, placed, remove, there
from envparity_server.compare.model import Severity
from envparity_server.compare.scope import parse_scope
from envparity_server.dashboard.addresses import PageNumber, Text
from envparity_server.dashboard.comparing import question_of
from envparity_server.dashboard.forms import Form, may, read_form, require
from envparity_server.dashboard.pages import page, require_person, seen_by
from envparity_server.drift.rules import Rule, rule_of
from envparity_server.previewing import preview, preview_between
from envparity_server.storage import hosts, rules
from envparity_server.storage.actors import Role
from envparity_server.storage.database import reading
from envparity_server.storage.rules import RuleState

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])

PAGE_ROWS = 50
USUAL_LIFE = timedelta(days=90)  # of a new rule: what nobody looks at again hides what nobody meant

_FIELDS = ("match", "hosts", "severity", "reason", "owner", "expires", "back")
_STATES = {"": "All", RuleState.ACTIVE: "Active", RuleState.EXPIRED: "Expired", RuleState.NEVER_HIT: "Never hit"}


@router.get("/rules")
def show_rules(request: Request, state: Text = "", number: PageNumber = 1) -> Response:
    """The rules in the order in which they are tried: all, the active, the expired, or those that never hit."""
    moment, seen = now(), seen_by(request)
    wanted = RuleState(state) if state in set(RuleState) else None
    with reading(engine_of(request)) as connection:
        found, matching = rules.listed(connection, moment, seen, wanted, PAGE_ROWS, (number - 1) * PAGE_ROWS)
        counts = {
            one: rules.listed(connection, moment, seen, RuleState(one) if one else None, limit=0)[1] for one in _STATES
        }
        names = _host_names(request, connection)
    return page(
        request,
        "rules.html",
        rules=found,
        matching=matching,
        counts=counts,
        states=_STATES,
        state=wanted or "",
        number=number,
        pages=-(-matching // PAGE_ROWS),
        names=names,
        now=moment,
        may_decide=may(request, Role.OPERATOR),
    )


def _host_names(request: Request, connection: Connection) -> dict[str, str]:
    """How a selector that names a host by its id is read."""
    return {f"host:{one.id}": f"host:{one.name}" for one in hosts.all_hosts(connection, seen_by(request))}


@router.get("/rules/new")
def show_new_rule(
    request: Request,
    match: Text = "",
    hosts: Text = "",
    severity: Text = "",
    reason: Text = "",
    owner: Text = "",
    expires: Text | None = None,
    back: Annotated[str, Query(max_length=8192)] = "",
    preview: Text = "",
) -> Response:
    """The form of a rule, and with `preview` what the rule would hide: only then it can be made."""
    require(request, Role.OPERATOR)
    end = f"{now() + USUAL_LIFE:%Y-%m-%d}" if expires is None else expires
    fields = dict(zip(_FIELDS, (match, hosts, severity, reason, owner, end, back), strict=True))
    return _form(request, fields, with_preview=bool(preview))


@router.post("/rules")
async def add_rule(request: Request) -> Response:
    """Make the rule of the form, if what it hides was looked at, and go back to where it was asked for."""
    return await run_in_threadpool(_add, request, await read_form(request))


def _add(request: Request, form: Form) -> Response:
    actor = require(request, Role.OPERATOR)
    fields = {name: form.text(name) for name in _FIELDS}
    try:
        if not fields["reason"]:
            raise UsageError("the rule has no reason", "say why the difference is fine as it is")
        rule = _rule(fields)
        if form.text("previewed") != rule.id:
            return _form(request, fields, with_preview=True)
        made, _ = make(engine_of(request), actor, rule)
    except EnvparityError as problem:
        return _form(request, fields, with_preview=False, problem=problem)
    asked = question_of(fields["back"])
    return RedirectResponse(f"{asked.address()}#expected" if asked else f"/rules/{made.rule.id}", 303)


def _rule(fields: Mapping[str, str]) -> Rule:
    """The rule of a form; raises UsageError."""
    told = {name: fields[name] for name in ("match", "hosts", "owner")}
    reason = fields["reason"] or "preview"
    return rule_of({
        **told, "reason": reason, "expires": fields["expires"] or None, "severity": fields["severity"] or None
    })  # fmt: skip


def _form(
    request: Request, fields: Mapping[str, str], with_preview: bool, problem: EnvparityError | None = None
) -> Response:
    shown: dict[str, Any] = {}
    with reading(engine_of(request)) as connection:
        if with_preview and problem is None:
            try:
                shown = _preview(request, connection, _rule(fields), fields["back"])
            except EnvparityError as found:
                problem = found
        environments = hosts.environments(connection, seen_by(request))
    asked = question_of(fields["back"])
    return page(
        request,
        "rule_new.html",
        status_of(problem) if problem else 200,
        fields=fields,
        problem=problem,
        environments=environments,
        severities=[one.word for one in reversed(Severity)],
        back=asked.address() if asked else "",
        preview_address="/rules/new?" + urlencode({**fields, "preview": "1"}),
        **shown,
    )


def _preview(request: Request, connection: Connection, rule: Rule, back: str) -> dict[str, Any]:
    """What a rule would hide of what differs now, and of the comparison that it was asked for in."""
    moment, seen = now(), seen_by(request)
    kept, environment, warnings = placed(connection, rule, require(request, Role.OPERATOR))
    asked = question_of(back)
    here = preview_between(
        connection, kept, (asked.left, asked.right), parse_scope(asked.only, asked.app), moment, seen
    ) if asked else None  # fmt: skip
    found = preview(connection, kept, moment, seen)
    return {
        "rule": rule,
        "environment": environment,
        "preview": found,
        "here": here,
        "warnings": [*warnings, *(one for one in found.warnings if one != found.words)],
    }


@router.get("/rules/{id}")
def show_rule(request: Request, id: RuleId) -> Response:
    """One rule: what it does, who made it, and how often it was hit."""
    return _shown(request, id)


@router.get("/rules/{id}/preview")
def show_reach(request: Request, id: RuleId) -> Response:
    """What a rule covers now, that no other one does."""
    actor = require(request, Role.VIEWER)
    with reading(engine_of(request)) as connection:
        one = there(connection, id, actor)
        found = preview(connection, one.rule, now(), seen_by(request))
    template = "rule_preview.html" if "hx-request" in request.headers else "rule_preview_page.html"
    return page(request, template, one=one, preview=found, warnings=[], here=None)


@router.post("/rules/{id}")
async def change_rule(request: Request, id: RuleId) -> Response:
    """Give a rule the reason, owner and end of the form."""
    return await run_in_threadpool(_change, request, id, await read_form(request))


def _change(request: Request, id: str, form: Form) -> Response:
    actor = require(request, Role.OPERATOR)
    changes = {"reason": form.text("reason"), "owner": form.text("owner"), "expires": form.text("expires") or None}
    try:
        change(engine_of(request), actor, id, form.number("version"), changes)
    except EnvparityError as problem:
        return _shown(request, id, problem)
    return RedirectResponse(f"/rules/{id}", 303)


@router.get("/rules/{id}/remove")
def show_removal(request: Request, id: RuleId) -> Response:
    """Ask whether a rule is to be removed."""
    actor = require(request, Role.OPERATOR)
    with reading(engine_of(request)) as connection:
        return page(request, "rule_remove.html", one=there(connection, id, actor))


@router.post("/rules/{id}/remove")
async def remove_rule(request: Request, id: RuleId) -> Response:
    """Remove a rule: what it expected counts again."""
    actor = require(request, Role.OPERATOR)
    await run_in_threadpool(remove, engine_of(request), actor, id)
    return RedirectResponse("/rules", 303)


def _shown(request: Request, id: str, problem: EnvparityError | None = None) -> Response:
    actor, moment = require(request, Role.VIEWER), now()
    with reading(engine_of(request)) as connection:
        one = there(connection, id, actor)
        names = _host_names(request, connection)
    return page(
        request,
        "rule.html",
        status_of(problem) if problem else 200,
        one=one,
        problem=problem,
        hosts=names.get(one.rule.hosts, one.rule.hosts),
        expired=one.rule.is_expired(moment),
        may_decide=may(request, Role.OPERATOR) and actor.sees(one.environment),
    )
