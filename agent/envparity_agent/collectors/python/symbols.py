"""Tells the public names of a distribution's modules, parsed from its sources and never imported.

A name is written as a static check needs it:

    LIMIT                            an assignment, or an attribute of an instance as `Client.timeout`
    get(url, /, *, timeout=, **kw)   a function; `=` marks a parameter with a default
    Client(Base, abc.ABC)            a class and its bases; methods as `Client.get(self, url)`
    get() @cache                     decorators follow, since they may change what can be called
    Client < api.Client              an import: the name and what it stands for; `* < api` for all of a module
    __all__ > get                    a name in `__all__`

A module whose names cannot be known, such as a compiled one, has no `names`; one with `__getattr__(name)` may have
more than it tells.
"""

import ast
import csv
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.paths import join
from envparity_agent.collectors.python.distributions import Distribution
from envparity_agent.collectors.python.record import MAX_RECORD, rows
from envparity_agent.collectors.reads import SITES, Reads
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import MAX_ITEMS, Attributes, Reason, Section, Status
from envparity_agent.root import MIB, Root

READS = Reads(deep=(rf"{SITES}.*+(?<=\.py)",))

MAX_SOURCE = MIB // 2
MAX_SOURCES = 64 * MIB  # of one distribution
MAX_NAMES = 20_000  # of one module

_MODULE = re.compile(r"^((?:[A-Za-z_]\w*/)*[A-Za-z_]\w*)\.(pyi?|(?:[\w-]+\.)*so)$", re.ASCII)
_FOREIGN = re.compile(r"\.(?:dist-info|data|libs)/")
_SPECIAL = frozenset({"__all__", "__call__", "__getattr__", "__init__", "__new__", "__version__"})


def symbols(subject: Subject, distribution: Distribution) -> Section | None:
    """The section `symbols/NAME-CONTENT` of a distribution: an item for each module; None where it has no content id.

    An editable one has no id of what imports. Equal content has equal names: a resident agent reads it once, and a
    server keeps it once for a fleet.
    """
    content = str(distribution.attributes.get("content") or "").removeprefix("sha256:")
    if not content or not distribution.name or distribution.source is not None:
        return None
    path = f"symbols/{distribution.name}-{content[:12]}"
    try:
        return subject.memory.recall(("symbols", path), content, lambda: _section(subject.root, distribution, path))
    except (Unreadable, csv.Error) as problem:
        reason = problem.reason if isinstance(problem, Unreadable) else Reason.INVALID
        return Section(path, "symbols", 1, status=Status.FAILED, reasons=(reason,))


def _section(root: Root, distribution: Distribution, path: str) -> Section:
    items: dict[str, Attributes] = {}
    reasons: set[str] = set()
    left = MAX_SOURCES
    modules = _modules(row.path for row in rows(root.read(distribution.record or "", MAX_RECORD)))
    if len(modules) > MAX_ITEMS:
        reasons.add(Reason.CAP)
    for module, file in islice(modules.items(), MAX_ITEMS):
        items[module] = {}
        if file.endswith(".so"):
            continue
        try:
            source = root.read(join(distribution.site, file), min(MAX_SOURCE, left))
        except Unreadable as problem:
            reasons.add(problem.reason)
            continue
        left -= len(source)
        names = public_names(source, module, package=file.endswith(("/__init__.py", "/__init__.pyi")))
        if names is not None:
            items[module] = {"names": tuple(sorted(names))}
            if len(names) >= MAX_NAMES:
                reasons.add(Reason.CAP)
    status = Status.PARTIAL if reasons else Status.OK
    return Section(path, "symbols", 1, items, status, tuple(sorted(reasons)))


def _modules(paths: Iterable[str]) -> dict[str, str]:
    """Module -> its file, for what imports from a site directory: a source before a stub, that before a binary."""
    found: dict[str, tuple[int, str]] = {}
    for path in paths:
        match = _MODULE.match(path)
        if match is None or _FOREIGN.search(path):
            continue
        module = match.group(1).replace("/", ".").removesuffix(".__init__")
        rank = ("py", "pyi").index(match.group(2)) if match.group(2) in ("py", "pyi") else 2
        found[module] = min(found.get(module, (3, "")), (rank, path))
    return {module: file for module, (_, file) in sorted(found.items())}


def public_names(source: bytes, module: str, package: bool) -> set[str] | None:
    """The public names of a module's source; None where it does not parse as the Python that runs this."""
    try:
        with warnings.catch_warnings():  # of the source's, which is not ours to correct
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # ValueError: a NUL
        return None
    base = module if package else module.rpartition(".")[0]
    return set(islice(_top_level(tree.body, base), MAX_NAMES))


def _top_level(body: Sequence[ast.stmt], base: str) -> Iterator[str]:
    for statement in _statements(body):
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() if _is_public(statement.name):
                yield _function(statement)
            case ast.ClassDef() if _is_public(statement.name):
                yield from _class(statement)
            case ast.Import():
                for one in statement.names:
                    name = one.asname or one.name.partition(".")[0]
                    if _is_public(name):
                        yield f"{name} < {one.name if one.asname else name}"
            case ast.ImportFrom():
                yield from _imported(statement, base)
            case _:
                yield from _assigned(statement)


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
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


def _imported(statement: ast.ImportFrom, base: str) -> Iterator[str]:
    parts = base.split(".")[: max(0, base.count(".") + 2 - statement.level)] if statement.level else []
    origin = [*parts, *filter(None, [statement.module])]
    for one in statement.names:
        name = one.asname or one.name
        if name == "*":
            yield f"* < {'.'.join(origin)}"
        elif _is_public(name):
            yield f"{name} < {'.'.join([*origin, one.name])}"


def _class(statement: ast.ClassDef) -> Iterator[str]:
    """A class, its methods, and the attributes of itself and of its instances; private ones left out."""
    bases = ", ".join(_dotted(base) for base in statement.bases)
    yield f"{statement.name}({bases}){_decorators(statement)}"
    for inner in _statements(statement.body):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            if _is_public(inner.name):
                yield f"{statement.name}.{_function(inner)}"
            own = inner.args.args[0].arg if inner.args.args else ""
            for assignment in _statements(inner.body):
                yield from (f"{statement.name}.{name}" for name in _attributes(assignment, own))
        elif isinstance(inner, ast.ClassDef):
            if _is_public(inner.name):
                yield f"{statement.name}.{inner.name}({', '.join(_dotted(base) for base in inner.bases)})"
        else:
            yield from (f"{statement.name}.{name}" for name in _assigned(inner) if ">" not in name)


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
    for target in _targets(statement):
        if not isinstance(target, ast.Name) or not _is_public(target.id):
            continue
        value = getattr(statement, "value", None)
        if target.id == "__all__" and isinstance(value, ast.List | ast.Tuple):
            for one in value.elts:
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield f"__all__ > {one.value}"
        else:
            yield target.id


def _attributes(statement: ast.stmt, own: str) -> Iterator[str]:
    for target in _targets(statement):
        if isinstance(target, ast.Attribute) and _is_public(target.attr) and _dotted(target.value) == own:
            yield target.attr


def _function(statement: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return f"{statement.name}({', '.join(_parameters(statement.args))}){_decorators(statement)}"


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
