"""Tells what a module uses of other modules, parsed from its source and never run.

A use is a line, marks, and what is used there:

    30 from werkzeug.urls import url_quote      an import of a name; `import werkzeug.urls` of a module
    12f numpy.float                             an attribute, from an import on
    7 click.testing.CliRunner(1, mix_stderr=)   a call: how many arguments by position, then keywords (`*`, `**`: more)
    9 sqlalchemy.create_engine(1).execute(1)    on the result, also through a variable that is assigned once
    8f httpx.Client(…).__init__(0, app=)        on an instance, as by `super()`, `self` or an annotated parameter
    5 class Session(requests.Session)           a subclass

Marks: `f` it runs when a function is called, `c` under a condition, `g` guarded: what an import or attribute that is
not there raises is caught, `t` for type checkers only. Of a thing that is used several times the plainest use is told.
"""

import ast
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from envparity_agent.collectors.python.scopes import (
    Function,
    Owner,
    Scope,
    annotated,
    bind,
    chain,
    origin,
    statements,
    stored,
)

MAX_USES = 5_000  # of one module

_CAUGHT = frozenset({
    "ImportError", "ModuleNotFoundError", "AttributeError", "TypeError", "NameError", "Exception", "BaseException",
})  # fmt: skip

_LOOPS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def uses(tree: ast.Module, module: str, package: bool, whole: bool = False) -> tuple[str, ...]:
    """The uses of a module, as many as could be read.

    Of the package that the module is in only imports are told: it is of one version with itself. `whole` tells all.
    """
    scope = Scope(module, module if package else module.rpartition(".")[0])
    reader = _Reader(scope, tree, "" if whole else module.partition(".")[0])
    with suppress(RecursionError):  # a machine wrote it: what came before is told
        reader.read(tree.body)
    return reader.told()


class _Reader:
    """Walks through the statements of a module and keeps the plainest use of everything."""

    def __init__(self, scope: Scope, tree: ast.Module, own: str) -> None:
        self._scope = scope
        self._own = own  # the package of which only imports are told
        self._found: dict[str, tuple[int, int, str]] = {}
        # with it annotations are texts that nothing evaluates: https://docs.python.org/3/library/__future__.html
        self._typed = not any(
            isinstance(one, ast.ImportFrom) and one.module == "__future__" and one.names[0].name == "annotations"
            for one in tree.body
        )

    def read(self, body: Sequence[ast.stmt]) -> None:
        bind(self._scope, body)
        self._body(body, self._scope, "")
        if self._scope.filled:  # known only now, and used before
            self._scope.names |= self._scope.filled
            self._body(body, self._scope, "")

    def told(self) -> tuple[str, ...]:
        return tuple(sorted(f"{line}{marks} {what}" for what, (_, line, marks) in self._found.items()))

    def _use(self, what: str, node: ast.stmt | ast.expr, marks: str) -> None:
        if what in self._found or len(self._found) < MAX_USES:
            order = "".join(sorted(set(marks)))
            plain = (len(order), node.lineno, order)
            self._found[what] = min(self._found.get(what, plain), plain)

    def _body(self, body: Iterable[ast.stmt], scope: Scope, marks: str) -> None:
        for statement in body:
            self._statement(statement, scope, marks)

    def _statement(self, statement: ast.stmt, scope: Scope, marks: str) -> None:
        match statement:
            case ast.Import():
                for one in statement.names:
                    self._use(f"import {one.name}", statement, marks)
            case ast.ImportFrom():
                module = origin(statement, scope.base)
                for one in statement.names:
                    self._use(f"from {module} import {one.name}", statement, marks)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(statement, scope, marks)
            case ast.ClassDef():
                self._class(statement, scope, marks)
            case ast.If():
                self._expression(statement.test, scope, marks)
                self._body(statement.body, scope, marks + ("t" if _for_types(statement.test) else "c"))
                self._body(statement.orelse, scope, f"{marks}c")
            case ast.Try() | ast.TryStar():
                guarded = _guards(statement.handlers)
                self._body(statement.body, scope, f"{marks}g" if guarded else marks)
                for handler in statement.handlers:
                    self._body(handler.body, scope, f"{marks}cg")
                self._body([*statement.orelse, *statement.finalbody], scope, f"{marks}c" if guarded else marks)
            case ast.With() | ast.AsyncWith():
                for item in statement.items:
                    self._expression(item.context_expr, scope, marks)
                suppressed = any(_suppresses(item.context_expr) for item in statement.items)
                self._body(statement.body, scope, f"{marks}g" if suppressed else marks)
            case ast.AnnAssign():
                self._annotations([statement.annotation], scope, marks)
                self._inside([statement.target, statement.value], scope, marks)
            case _:
                self._inside(_children(statement), scope, marks)

    def _function(self, statement: Function, scope: Scope, marks: str) -> None:
        arguments = statement.args
        self._inside([*statement.decorator_list, *arguments.defaults, *arguments.kw_defaults], scope, marks)
        everyone = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        self._annotations([*(one.annotation for one in everyone), statement.returns], scope, marks)
        owner = scope.owner if scope.is_class else None
        inner = self._method(statement, scope, owner) if owner else _inner(statement, scope)
        self._body(statement.body, inner, f"{marks}f")

    def _method(self, statement: Function, scope: Scope, owner: Owner) -> Scope:
        inner = _inner(statement, scope)
        first = statement.args.args[0].arg if statement.args.args else ""
        inner.owner = Owner(owner.base, owner.own, owner.values, first)
        return inner

    def _class(self, statement: ast.ClassDef, scope: Scope, marks: str) -> None:
        self._inside([*statement.decorator_list, *(one.value for one in statement.keywords)], scope, marks)
        bases = [chain(base, scope) for base in statement.bases]
        if any(bases):
            told = ", ".join(base or "…" for base in bases)
            self._use(f"class {statement.name}({told})", statement, marks)
        self._inside((base for base, known in zip(statement.bases, bases, strict=True) if not known), scope, marks)
        inner = Scope(scope.module, scope.base, scope, is_class=True)
        inner.owner = _owner(statement, bases[0] if len(bases) == 1 else None, inner)
        bind(inner, statement.body)
        self._body(statement.body, inner, marks)

    def _annotations(self, annotations: Iterable[ast.expr | None], scope: Scope, marks: str) -> None:
        if self._typed:
            self._inside(annotations, scope, marks)

    def _inside(self, nodes: Iterable[ast.AST | None], scope: Scope, marks: str) -> None:
        for node in nodes:
            if isinstance(node, ast.expr):
                if not isinstance(node, ast.Name | ast.Constant):
                    self._expression(node, scope, marks)
            elif isinstance(node, ast.stmt):
                self._statement(node, scope, marks)
            elif node is not None:
                self._inside(_children(node), scope, marks)

    def _expression(self, node: ast.expr, scope: Scope, marks: str) -> None:
        if isinstance(node, ast.Lambda):
            self._inside([*node.args.defaults, *node.args.kw_defaults], scope, marks)
            inner = Scope(scope.module, scope.base, scope)
            bind(inner, [], node.args)
            self._inside([node.body], inner, f"{marks}f")
            return
        if isinstance(node, _LOOPS):
            names = {name: None for one in node.generators for name in stored(one.target)}
            inner = Scope(scope.module, scope.base, scope, names=dict(names))
            self._inside(_children(node), inner, marks)
            return
        if isinstance(node, ast.IfExp):
            self._expression(node.test, scope, marks)
            self._inside([node.body, node.orelse], scope, f"{marks}c")
            return
        loaded = isinstance(node, ast.Call) or (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load))
        used = chain(node, scope) if loaded else None
        if used is None:
            self._inside(_children(node), scope, marks)
            return
        if used.partition(".")[0] != self._own:
            self._use(used, node, marks)
        while isinstance(node, ast.Call | ast.Attribute):  # what it is called with, all along the chain
            if isinstance(node, ast.Call):
                self._inside([*node.args, *(one.value for one in node.keywords)], scope, marks)
                node = node.func
            else:
                node = node.value


def _children(node: ast.AST) -> list[ast.AST]:
    """The nodes below one that may hold a use; `ast.iter_child_nodes` yields the operators as well, and is slower."""
    found: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            found.extend(one for one in value if isinstance(one, ast.AST))
        elif isinstance(value, ast.expr | ast.stmt | ast.arguments):
            found.append(value)
    return found


def _inner(statement: Function, scope: Scope) -> Scope:
    inner = Scope(scope.module, scope.base, scope)
    bind(inner, statement.body, statement.args)
    annotated(inner, statement.args)
    return inner


def _owner(statement: ast.ClassDef, base: str | None, scope: Scope) -> Owner:
    """What methods know of their class: its one base, what it defines, and attributes that are assigned once."""
    own: set[str] = set()
    assigned: dict[str, list[tuple[Scope, ast.expr] | None]] = {}
    for inner in statements(statement.body):
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            own.update([inner.name] if isinstance(inner, ast.ClassDef) else _names(inner))
            continue
        own.add(inner.name)
        first = inner.args.args[0].arg if inner.args.args else ""
        where: Scope | None = None
        for one in statements(inner.body):
            for name in _attributes(one, first):
                alone = (
                    isinstance(one, ast.Assign) and len(one.targets) == 1 and isinstance(one.targets[0], ast.Attribute)
                )
                if alone and isinstance(one, ast.Assign):
                    where = where or _inner(inner, scope)
                    assigned.setdefault(name, []).append((where, one.value))
                else:
                    assigned.setdefault(name, []).append(None)
    values = {name: found[0] for name, found in assigned.items() if len(found) == 1 and found[0]}
    return Owner(base, frozenset(own | assigned.keys()), values)


def _targets(statement: ast.stmt) -> Sequence[ast.expr]:
    match statement:
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            return targets
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target) | ast.For(target=target):
            return [target]
        case ast.With(items=items) | ast.AsyncWith(items=items):
            return [item.optional_vars for item in items if item.optional_vars]
    return ()


def _names(statement: ast.stmt) -> Iterator[str]:
    """The variables that a statement of a class binds: they are attributes of the class."""
    for target in _targets(statement):
        yield from stored(target)
    if isinstance(statement, ast.Import | ast.ImportFrom):
        yield from (one.asname or one.name for one in statement.names)


def _attributes(statement: ast.stmt, instance: str) -> Iterator[str]:
    """The attributes of an instance that a statement assigns to."""
    for target in _targets(statement):
        for one in target.elts if isinstance(target, ast.Tuple | ast.List) else [target]:
            if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == instance:
                yield one.attr


def _for_types(test: ast.expr) -> bool:
    return "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", ""))


def _guards(handlers: Sequence[ast.ExceptHandler]) -> bool:
    """Whether what is missing is caught, and not raised again as soon as it was."""
    return any(_catches(one.type) and not isinstance(one.body[-1], ast.Raise) for one in handlers)


def _catches(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(one is None or getattr(one, "id", getattr(one, "attr", "")) in _CAUGHT for one in kinds)


def _suppresses(expression: ast.expr) -> bool:
    if not isinstance(expression, ast.Call):
        return False
    name = getattr(expression.func, "id", getattr(expression.func, "attr", ""))
    return name == "suppress" and any(_catches(one) for one in expression.args)
