"""Tells what the names of a source stand for, scope by scope: an import, what is assigned once, or nothing known.

A value is written as a chain: `flask.Flask(1).route`. `(1, debug=)` is a call with a positional argument and a keyword,
`(*)` and `(**)` stand for arguments that are not known by number or name, and `(…)` for an instance or a call of
whatever arguments.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

MAX_CHAIN = 400  # characters; a longer one is not told
MAX_DEPTH = 8  # of values that stand for values

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Scope:
    """A module, class or function, and what it binds: a chain, an expression that is one, or None: not known."""

    module: str
    base: str  # what relative imports start from
    parent: "Scope | None" = None
    owner: "Owner | None" = None  # of a method
    names: dict[str, "str | Bound | None"] = field(default_factory=dict)
    is_class: bool = False
    filled: dict[str, str] = field(default_factory=dict)  # what functions import for variables of the module

    def find(self, name: str) -> "tuple[Scope, str | Bound | None] | None":
        """The scope that binds a name and what it stands for; a class's names are not seen from its methods."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names and (scope is self or not scope.is_class):
                return scope, scope.names[name]
            scope = scope.parent
        return None


@dataclass(frozen=True)
class Bound:
    """A name that an expression is assigned to once; `entered` where it is what a `with` block has."""

    value: ast.expr
    entered: str = ""  # `.__enter__(0)`


@dataclass
class Owner:
    """A class whose methods are read: the name of the instance, the base that it has alone, and what it sets itself."""

    base: str | None
    own: frozenset[str]
    values: dict[str, tuple[Scope, ast.expr]] = field(default_factory=dict)  # attributes that are assigned once
    instance: str = ""


def statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run in the same scope, those inside if, try, with and loops included."""
    pending = list(reversed(body))
    while pending:
        statement = pending.pop()
        yield statement
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for name in ("body", "handlers", "orelse", "finalbody", "cases"):
            for inner in reversed(getattr(statement, name, ())):
                nested = inner.body if isinstance(inner, ast.ExceptHandler | ast.match_case) else [inner]
                pending.extend(reversed(nested))


def origin(statement: ast.ImportFrom, base: str) -> str:
    """The module that a `from` import is from, a relative one resolved against the package."""
    parts = base.split(".")[: max(0, base.count(".") + 2 - statement.level)] if statement.level else []
    return ".".join(filter(None, [*parts, statement.module]))


def bind(scope: Scope, body: Sequence[ast.stmt], arguments: ast.arguments | None = None) -> None:
    """Enter what a body binds; what is bound more than once, or to more than can be told, is not known."""
    bound: dict[str, list[str | Bound | None]] = {}
    elsewhere: set[str] = set()
    if arguments:
        for one in _arguments(arguments):
            bound.setdefault(one.arg, []).append(None)
    for statement in statements(body):
        for name, value in _bindings(statement, scope.base):
            bound.setdefault(name, []).append(value)
        if isinstance(statement, ast.Global | ast.Nonlocal):
            elsewhere.update(statement.names)
    for name, values in bound.items():
        if name in elsewhere:
            _bind_outside(scope, name, values)
            continue
        told = list(dict.fromkeys(value for value in values if value != ""))
        scope.names[name] = told[0] if len(told) == 1 else None


def _bind_outside(scope: Scope, name: str, values: Sequence[str | Bound | None]) -> None:
    """Let a variable of the module be what a function imports for it, where the module itself has nothing or None."""
    outermost = scope
    while outermost.parent is not None:
        outermost = outermost.parent
    imported = [value for value in values if isinstance(value, str) and value]
    if len(set(imported)) == 1 and outermost.names.get(name) is None:
        outermost.filled[name] = imported[0]


def annotated(scope: Scope, arguments: ast.arguments) -> None:
    """Let parameters stand for an instance of what they are annotated with, where nothing else is assigned to them."""
    for one in _arguments(arguments):
        if one.annotation is not None and scope.names.get(one.arg, "") is None:
            kind = chain(_plain(one.annotation), scope.parent or scope)
            if kind:
                scope.names[one.arg] = f"{kind}(…)"


def _plain(annotation: ast.expr) -> ast.expr:
    """`X` of `X`, `X | None` and `Optional[X]`."""
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.right, ast.Constant):
        return annotation.left
    return annotation


def _arguments(arguments: ast.arguments) -> list[ast.arg]:
    variable = [one for one in (arguments.vararg, arguments.kwarg) if one]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *variable]


def _bindings(statement: ast.stmt, base: str) -> Iterator[tuple[str, str | Bound | None]]:
    """Name -> what a statement binds it to; an empty text for None, which a failed import leaves behind."""
    match statement:
        case ast.Import():
            for one in statement.names:
                yield one.asname or one.name.partition(".")[0], one.name if one.asname else one.name.partition(".")[0]
        case ast.ImportFrom():
            module = origin(statement, base)
            for one in statement.names:
                yield one.asname or one.name, f"{module}.{one.name}" if module else one.name
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield statement.name, None
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
        ):
            yield name, "" if isinstance(value, ast.Constant) and value.value is None else Bound(value)
        case ast.With(items=items) | ast.AsyncWith(items=items):
            method = "__enter__" if isinstance(statement, ast.With) else "__aenter__"
            for item in items:
                if isinstance(item.optional_vars, ast.Name):
                    yield item.optional_vars.id, Bound(item.context_expr, f".{method}(0)")
                elif item.optional_vars is not None:
                    yield from ((name, None) for name in stored(item.optional_vars))
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            yield from ((name, None) for target in targets for name in stored(target))
        case ast.AugAssign(target=target) | ast.For(target=target) | ast.AsyncFor(target=target):
            yield from ((name, None) for name in stored(target))
        case ast.Try(handlers=handlers) | ast.TryStar(handlers=handlers):
            yield from ((one.name, None) for one in handlers if one.name)


def stored(target: ast.expr) -> Iterator[str]:
    """The variables that a target of an assignment binds."""
    pending = [target]
    while pending:
        one = pending.pop()
        if isinstance(one, ast.Name):
            yield one.id
        elif isinstance(one, ast.Tuple | ast.List):
            pending.extend(one.elts)
        elif isinstance(one, ast.Starred):
            pending.append(one.value)


def chain(expression: ast.expr, scope: Scope, depth: int = 0) -> str | None:
    """The chain that an expression is, from an import on; None where that is not known."""
    links: list[str] = []
    while True:
        match expression:
            case ast.Attribute(value=value, attr=attribute):
                base = _of_instance(value, attribute, scope, depth)
                if base is not None:
                    return _joined(base, links)
                links.append(f".{attribute}")
                expression = value
            case ast.Call(func=ast.Name(id="super")):
                owner = _method(scope)
                return _joined(f"{owner.base}(…)", links) if owner and owner.base and links else None
            case ast.Call(func=function):
                links.append(f"({call(expression)})")
                expression = function
            case ast.Name(id=name):
                return _named(name, links, scope, depth)
            case _:
                return None


def _joined(start: str, links: Sequence[str]) -> str | None:
    whole = start + "".join(reversed(links))
    return whole if len(whole) <= MAX_CHAIN else None


def _named(name: str, links: Sequence[str], scope: Scope, depth: int) -> str | None:
    where, value = scope.find(name) or (scope, None)
    if value is None or depth > MAX_DEPTH:
        return None
    if isinstance(value, str):
        return _joined(value, links)
    start = chain(value.value, where, depth + 1)
    return _joined(start + value.entered, links) if start else None


def _of_instance(value: ast.expr, attribute: str, scope: Scope, depth: int) -> str | None:
    """What `self.attribute` is in a method: what was assigned to it once, or what the one imported base has."""
    owner = _method(scope)
    if owner is None or not isinstance(value, ast.Name) or value.id != owner.instance or depth > MAX_DEPTH:
        return None
    if attribute in owner.values:
        where, assigned = owner.values[attribute]
        return chain(assigned, where, depth + 1)
    return f"{owner.base}(…).{attribute}" if owner.base and attribute not in owner.own else None


def _method(scope: Scope) -> Owner | None:
    here: Scope | None = scope
    while here is not None and here.owner is None:
        here = here.parent
    return here.owner if here else None


def call(expression: ast.Call) -> str:
    """The arguments of a call: how many by position, then the keywords."""
    positional = [one for one in expression.args if not isinstance(one, ast.Starred)]
    told = [str(len(positional))]
    told += ["*"] if len(positional) < len(expression.args) else []
    told += sorted(f"{one.arg}=" for one in expression.keywords if one.arg)
    told += ["**"] if any(one.arg is None for one in expression.keywords) else []
    return ", ".join(told)
