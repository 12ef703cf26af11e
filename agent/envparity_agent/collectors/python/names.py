"""Tells the names that a module defines, parsed from its source and never imported.

A name is written as a static check needs it:

    LIMIT                            an assignment, or an attribute of an instance as `Client.timeout`
    encode -> _default.encode        an assignment of what can be followed: names of the module, attributes and calls
    get(url, /, *, timeout=, **kw)   a function; `=` marks a parameter with a default
    connect(url) -> Engine(…)        what it returns, by its annotation or by what all its returns have in common;
                                     `Self(…)` is an instance of the class that is asked, `super(…)` of its bases
    class Client(Base, abc.ABC)      a class and its bases, `metaclass=Meta` among them; methods as `Client.get(self)`
    get() @cache                     decorators follow, since they may change what can be called
    Client < api.Client              an import: the name and what it stands for; `* < api` for all of a module,
                                     `* < …` for names that the module makes as it runs
    __all__ > get                    a name in `__all__`
    __getattr__ > float              a name that the module's `__getattr__` looks for, and with ! one that it refuses
    ! raise                          importing the module raises, whatever is installed

Names that begin with an underscore are told of modules and not of classes.
"""

import ast
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice

from envparity_agent.collectors.python.answering import answers
from envparity_agent.collectors.python.scopes import Function, origin, statements

MAX_NAMES = 20_000  # of one module
MAX_DEPTH = 4  # of local variables that stand for one another

Local = dict[str, ast.expr | None]  # what a function's variables stand for, None: not known

_SEVERAL = frozenset({"Annotated", "Optional", "Union"})
_SPECIAL = frozenset({
    "__all__", "__aenter__", "__call__", "__enter__", "__getattr__", "__init__", "__new__", "__version__",
})  # fmt: skip


def names(tree: ast.Module, module: str, package: bool) -> set[str]:
    """The names of a module; as many as could be read where it is nested without end."""
    base = module if package else module.rpartition(".")[0]
    found: set[str] = set()
    with suppress(RecursionError):  # a machine wrote it: what came before is told
        for one in islice(_top_level(tree.body, base), MAX_NAMES):
            found.add(one)  # keeps what came before
        found.update(answers(tree))
    if any(isinstance(one, ast.Raise) for one in tree.body):
        found.add("! raise")
    return found


def _top_level(body: Sequence[ast.stmt], base: str) -> Iterator[str]:
    for statement in statements(body):
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield _function(statement)
            case ast.ClassDef():
                yield from _class(statement)
            case ast.Import():
                for one in statement.names:
                    name = one.asname or one.name.partition(".")[0]
                    yield f"{name} < {one.name if one.asname else name}"
            case ast.ImportFrom():
                module = origin(statement, base)
                for one in statement.names:
                    whole = f"{module}.{one.name}" if module else one.name
                    yield f"* < {module}" if one.name == "*" else f"{one.asname or one.name} < {whole}"
            case _:
                yield from _assigned(statement)


def _class(statement: ast.ClassDef) -> Iterator[str]:
    """A class, its methods, and the attributes of itself and of its instances; private ones left out."""
    yield f"class {statement.name}({', '.join(_bases(statement))}){_decorators(statement)}"
    for inner in statements(statement.body):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            own = inner.args.args[0].arg if inner.args.args else ""
            if _is_public(inner.name):
                yield f"{statement.name}.{_function(inner, own)}"
            for assignment in statements(inner.body):
                yield from (f"{statement.name}.{name}" for name in _attributes(assignment, own))
        elif isinstance(inner, ast.ClassDef):
            if _is_public(inner.name):
                yield f"class {statement.name}.{inner.name}({', '.join(_bases(inner))})"
        else:
            told = (name for name in _assigned(inner) if not name.startswith("_") and "__all__" not in name)
            yield from (f"{statement.name}.{name}" for name in told)


def _bases(statement: ast.ClassDef) -> Iterator[str]:
    yield from map(_dotted, statement.bases)
    # what attributes the class itself has is up to its metaclass as well
    yield from (f"metaclass={_dotted(one.value)}" for one in statement.keywords if one.arg == "metaclass")


def _targets(statement: ast.stmt) -> Iterator[ast.expr]:
    """What a statement assigns to, tuples taken apart."""
    match statement:
        case ast.Assign():
            pending = list(statement.targets)
        case ast.AnnAssign() | ast.AugAssign() | ast.For() | ast.AsyncFor():
            pending = [statement.target]
        case ast.With() | ast.AsyncWith():
            pending = [item.optional_vars for item in statement.items if item.optional_vars]
        case _:
            return
    while pending:
        target = pending.pop()
        if isinstance(target, ast.Tuple | ast.List):
            pending.extend(target.elts)
        elif isinstance(target, ast.Starred):
            pending.append(target.value)
        else:
            yield target


def _assigned(statement: ast.stmt) -> Iterator[str]:
    value = getattr(statement, "value", None)
    followed = _value(value, {}) if isinstance(value, ast.Attribute | ast.Call | ast.Name) else None
    for target in _targets(statement):
        if not isinstance(target, ast.Name):
            continue
        if target.id == "__all__" and isinstance(value, ast.List | ast.Tuple):
            yield target.id
            for one in value.elts:
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield f"__all__ > {one.value}"
        else:
            alone = followed and isinstance(statement, ast.Assign) and target in statement.targets
            yield f"{target.id} -> {followed}" if alone else target.id


def _attributes(statement: ast.stmt, own: str) -> Iterator[str]:
    for target in _targets(statement):
        if isinstance(target, ast.Attribute) and _is_public(target.attr) and _dotted(target.value) == own:
            yield target.attr


def _function(statement: Function, own: str = "") -> str:
    parameters = ", ".join(_parameters(statement.args))
    returned = _returned(statement, own) if isinstance(statement, ast.FunctionDef) else None
    return f"{statement.name}({parameters}){f' -> {returned}' if returned else ''}{_decorators(statement)}"


def _returned(statement: ast.FunctionDef, own: str) -> str | None:
    """What a function returns, as names of its module: by its annotation, else where all its returns agree."""
    if statement.returns is not None:
        kind = _annotated(statement.returns)
        return f"{kind}(…)" if kind else None
    inside = list(statements(statement.body))
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for one in inside for node in ast.iter_child_nodes(one)):
        return None
    values = [one.value for one in inside if isinstance(one, ast.Return) and one.value is not None]
    local: Local = dict.fromkeys(one.arg for one in [*statement.args.args, *statement.args.kwonlyargs])
    for one in inside:
        for target in _targets(one):
            if isinstance(target, ast.Name):
                known = isinstance(one, ast.Assign) and target in one.targets and target.id not in local
                local[target.id] = one.value if known and isinstance(one, ast.Assign) else None
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            local[one.name] = None
    told = {_value(value, local, own) for value in values}
    return told.pop() if len(told) == 1 else None


def _annotated(annotation: ast.expr) -> str | None:
    """The class that an annotation names; None for what is none, or one of several."""
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.right, ast.Constant):
        annotation = annotation.left  # X | None
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        text = annotation.value.partition("[")[0]
        return text if all(part.isidentifier() for part in text.split(".")) else None
    if isinstance(annotation, ast.Subscript) and _dotted(annotation.value).rpartition(".")[2] in _SEVERAL:
        return None
    told = _dotted(annotation)
    return None if "…" in told else told


def _value(expression: ast.expr, local: Local, own: str = "", depth: int = 0) -> str | None:
    """An expression as names of the module, attributes and calls: `Self(…).open(…)`; None for any other one."""
    links: list[str] = []
    while isinstance(expression, ast.Attribute | ast.Call):
        if isinstance(expression, ast.Call) and isinstance(expression.func, ast.Name) and expression.func.id == "super":
            return "super(…)" + "".join(reversed(links)) if own else None
        links.append(f".{expression.attr}" if isinstance(expression, ast.Attribute) else "(…)")
        expression = expression.value if isinstance(expression, ast.Attribute) else expression.func
    match expression:
        case ast.Name(id=name) if own and name == own:
            start: str | None = "Self" if own == "cls" else "Self(…)"
        case ast.Name(id=name) if name in local:
            value = local[name]
            start = _value(value, local, own, depth + 1) if value is not None and depth < MAX_DEPTH else None
        case ast.Name(id=name):
            start = name
        case ast.Constant(value=str() | bytes() as text):
            start = f"{type(text).__name__}(…)"
        case ast.JoinedStr():
            start = "str(…)"
        case _:
            return None
    return start + "".join(reversed(links)) if start else None


def _parameters(arguments: ast.arguments) -> Iterator[str]:
    positional = [*arguments.posonlyargs, *arguments.args]
    required = len(positional) - len(arguments.defaults)
    for number, one in enumerate(positional):
        yield one.arg if number < required else f"{one.arg}="
        if number + 1 == len(arguments.posonlyargs):
            yield "/"
    if arguments.vararg:
        yield f"*{arguments.vararg.arg}"
    elif arguments.kwonlyargs:
        yield "*"
    for keyword, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield keyword.arg if default is None else f"{keyword.arg}="
    if arguments.kwarg:
        yield f"**{arguments.kwarg.arg}"


def _decorators(statement: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    return "".join(f" @{_dotted(one.func if isinstance(one, ast.Call) else one)}" for one in statement.decorator_list)


def _dotted(expression: ast.expr) -> str:
    """`a.b.c`, also of `a.b.c[T]`; an ellipsis for whatever else."""
    if isinstance(expression, ast.Subscript):
        expression = expression.value
    parts: list[str] = []
    while isinstance(expression, ast.Attribute):
        parts.append(expression.attr)
        expression = expression.value
    parts.append(expression.id if isinstance(expression, ast.Name) else "…")
    return ".".join(reversed(parts))


def _is_public(name: str) -> bool:
    return not name.startswith("_") or name in _SPECIAL
