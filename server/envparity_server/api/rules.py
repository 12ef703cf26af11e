"""Rules: list them, see what one would hide, make, change and remove them; each decision is in the audit log."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from envparity_server.api.authentication import engine_of, now
from envparity_server.api.lists import Limit, Offset
from envparity_server.api.problems import Problem
from envparity_server.api.roles import Acting
from envparity_server.api.rule_documents import (
    Changed,
    Imported,
    ImportedAnswer,
    MadeAnswer,
    NewRule,
    PreviewAnswer,
    Question,
    RuleAnswer,
    RulesAnswer,
    preview_answer,
    rule_answer,
)
from envparity_server.drift.rules import Rule, document_of, rule_of
from envparity_server.previewing import Preview, breadth, preview
from envparity_server.storage import audit, rules
from envparity_server.storage.actors import Actor
from envparity_server.storage.database import reading, writing
from envparity_server.storage.rules import RuleState, StoredRule

router = APIRouter(prefix="/api/v1/rules", tags=["rules"])

RuleId = Annotated[str, Path(pattern="^[0-9a-f]{16}$", examples=["3f2a9c0d1e5b7a86"])]


@router.get("")
def list_rules(
    request: Request,
    acting: Acting,
    state: RuleState | None = None,
    limit: Limit = 200,
    offset: Offset = 0,
) -> RulesAnswer:
    """The rules that hold for the environments one sees: all, the active, the expired, or those that never hit."""
    moment = now()
    with reading(engine_of(request)) as connection:
        found, total = rules.listed(connection, moment, acting.environments, state, limit, offset)
    return RulesAnswer(rules=[rule_answer(one, moment) for one in found], total=total)


@router.get("/{id}")
def show_rule(request: Request, acting: Acting, id: RuleId) -> RuleAnswer:
    """One rule."""
    with reading(engine_of(request)) as connection:
        return rule_answer(there(connection, id, acting), now())


@router.post("/preview")
def preview_rule(request: Request, acting: Acting, body: Question) -> PreviewAnswer:
    """What a rule would hide among what differs now: each fresh host against its baseline, or its peers."""
    rule = rule_of({**body.model_dump(), "reason": "preview"})
    with reading(engine_of(request)) as connection:
        rule, _, warnings = rules.placed(connection, rule, acting.environments)
        found = preview(connection, rule, now(), acting.environments)
    return preview_answer(found, warnings)


@router.post("", status_code=HTTPStatus.CREATED)
def add_rule(request: Request, acting: Acting, body: NewRule) -> MadeAnswer:
    """Make a rule; the answer warns of one that hides much. The same once more changes nothing."""
    made, warnings = make(engine_of(request), acting, rule_of(body.model_dump(mode="json")))
    return MadeAnswer(rule=rule_answer(made, now()), warnings=list(warnings))


def make(engine: Engine, acting: Actor, rule: Rule) -> tuple[StoredRule, tuple[str, ...]]:
    """Make a rule, and say what its maker should know; one that is there and says the same stays as it is.

    Raises Problem where there is another one for the same, or the rule is for more than the actor may see.
    """
    moment = now()
    with reading(engine) as connection:
        rule, environment, warnings = placed(connection, rule, acting)
        shown = preview(connection, rule, moment, acting.environments)
    with (
        _alone(f"there is a rule {rule.id} for the same already", f"change that one: envparity rules change {rule.id}"),
        writing(engine) as connection,
    ):
        present = rules.by_ids(connection, [rule.id]).get(rule.id)
        if present is None:
            _add(connection, rule, environment, acting, moment, shown)
        elif present.rule != rule:
            raise _Meanwhile
        return there(connection, rule.id, acting), (*warnings, *shown.warnings)


@router.post("/import")
def import_rules(request: Request, acting: Acting, body: Imported) -> ImportedAnswer:
    """Make the rules of a file; those that are there get its reason, owner and end. All of them, or none."""
    moment = now()
    done: Counter[str] = Counter()
    warnings: dict[str, None] = {}
    with (
        _alone("somebody else decided about one of these rules meanwhile", "import again"),
        writing(engine_of(request)) as connection,
    ):
        found = [placed(connection, rule_of(one.model_dump(mode="json")), acting) for one in body.rules]
        present = rules.by_ids(connection, [rule.id for rule, _, _ in found])
        seen: set[str] = set()
        for number, (rule, environment, told) in enumerate(found):
            warnings.update(dict.fromkeys((*told, *breadth(rule))))
            if rule.id not in seen:  # of two for the same, the first is meant
                seen.add(rule.id)
                made_at = moment + timedelta(microseconds=number)  # the order of the file stays that of the rules
                done[_import(connection, rule, environment, present.get(rule.id), acting, made_at)] += 1
    return ImportedAnswer(
        added=done["added"], changed=done["changed"], unchanged=done["unchanged"], warnings=list(warnings)
    )


def _import(
    connection: Connection,
    rule: Rule,
    environment: str | None,
    present: StoredRule | None,
    acting: Actor,
    moment: datetime,
) -> str:
    """Make one rule of a file, or change the present one; says which."""
    if present is None:
        _add(connection, rule, environment, acting, moment)
        return "added"
    if present.rule == rule:
        return "unchanged"
    if not rules.change(connection, rule, present.version):
        raise _Meanwhile
    audit.write(connection, acting, "rule.change", rule.id, moment, environment, **document_of(rule))
    return "changed"


@router.patch("/{id}")
def change_rule(request: Request, acting: Acting, id: RuleId, body: Changed) -> RuleAnswer:
    """Change a rule's reason, owner or end; 409 where it is not the version that was seen any more."""
    changes = body.model_dump(mode="json", exclude_unset=True, exclude={"version"})
    return rule_answer(change(engine_of(request), acting, id, body.version, changes), now())


def change(engine: Engine, acting: Actor, id: str, version: int, changes: Mapping[str, Any]) -> StoredRule:
    """Give a rule another reason, owner or end; raises Problem where its version has moved on."""
    with writing(engine) as connection:
        before = _decidable(connection, id, acting)
        document = {key: value for key, value in document_of(before.rule).items() if key != "id"}
        after = rule_of({**document, **changes})
        if not rules.change(connection, after, version):
            raise Problem(
                HTTPStatus.CONFLICT,
                f"the rule is at version {before.version}: somebody else changed it",
                f"look at it again: envparity rules show {id}",
            )
        audit.write(connection, acting, "rule.change", id, now(), before.environment, **changes)
        return there(connection, id, acting)


@router.delete("/{id}", status_code=HTTPStatus.OK)
def remove_rule(request: Request, acting: Acting, id: RuleId) -> RuleAnswer:
    """Remove a rule; the answer is what it was."""
    return rule_answer(remove(engine_of(request), acting, id), now())


def remove(engine: Engine, acting: Actor, id: str) -> StoredRule:
    """Remove a rule; returns what it was."""
    with writing(engine) as connection:
        before = _decidable(connection, id, acting)
        rules.remove(connection, id)
        audit.write(
            connection, acting, "rule.remove", id, now(), before.environment, **document_of(before.rule),
            hits=before.hits,
        )  # fmt: skip
    return before


class _Meanwhile(Exception):
    """What was decided does not fit what is there."""


@contextmanager
def _alone(message: str, advice: str) -> Iterator[None]:
    """Answer 409 where somebody else made, or changed, the same rule; nothing was done."""
    try:
        yield
    except (IntegrityError, _Meanwhile):
        raise Problem(HTTPStatus.CONFLICT, message, advice) from None


def there(connection: Connection, id: str, acting: Actor) -> StoredRule:
    """A rule that the actor may see; raises Problem 404."""
    found = rules.by_id(connection, id, acting.environments)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"no rule {id}", "list them: envparity rules list")
    return found


def _decidable(connection: Connection, id: str, acting: Actor) -> StoredRule:
    """A rule that the actor may change or remove."""
    found = there(connection, id, acting)
    _check_reach(found.environment, acting)
    return found


def placed(connection: Connection, rule: Rule, acting: Actor) -> tuple[Rule, str | None, tuple[str, ...]]:
    """The rule as it would be kept, the environment that it belongs to, and what to warn of.

    Raises Problem 403 for one that is for more than the actor may see.
    """
    found = rules.placed(connection, rule, acting.environments)
    _check_reach(found[1], acting)
    return found


def _check_reach(environment: str | None, acting: Actor) -> None:
    if not acting.sees(environment):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "the rule is for all environments: only who may see all of them decides about it",
            "make one for your hosts: hosts = env:NAME",
        )


def _add(
    connection: Connection,
    rule: Rule,
    environment: str | None,
    acting: Actor,
    moment: datetime,
    shown: Preview | None = None,
) -> None:
    rules.add(connection, rule, environment, acting.name, moment)
    detail: dict[str, Any] = {"warnings": list(shown.warnings), "share": shown.share} if shown else {}
    audit.write(connection, acting, "rule.add", rule.id, moment, environment, **document_of(rule), **detail)
