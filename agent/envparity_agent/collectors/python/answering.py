"""Tells for which names a module's `__getattr__` has an answer, and which it refuses, as far as its source shows it.

https://peps.python.org/pep-0562/: a module's `__getattr__` is asked for the names that the module does not define.
"""

import ast
from collections.abc import Iterator

from envparity_agent.collectors.python.scopes import statements

MAX_ANSWERS = 2_000

# where a module keeps what it answers with is looked at this many steps away
_STEPS = 3


def answers(tree: ast.Module) -> Iterator[str]:
    """`__getattr__ > NAME` for each name that it looks for, `__getattr__ ! NAME` for each that it raises for."""
    asked = next((one for one in statements(tree.body) if getattr(one, "name", "") == "__getattr__"), None)
    if not isinstance(asked, ast.FunctionDef) or not asked.args.args:
        return
    name = asked.args.args[0].arg
    refused: set[str] = set()
    looked: set[str] = set()
    for node in ast.walk(asked):
        if isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise):
            refused |= _compared(node.test, name, tree)
        looked |= _compared(node, name, tree)
    told = {f"__getattr__ ! {one}" for one in refused} | {f"__getattr__ > {one}" for one in looked - refused}
    yield from sorted(told)[:MAX_ANSWERS]


def _compared(node: ast.AST, name: str, tree: ast.Module) -> set[str]:
    """The texts that a name is held against: `name == "x"`, `name in (...)`, `TABLE[name]`, `TABLE.get(name)`."""
    match node:
        case ast.Compare(left=ast.Name(id=left), ops=[ast.Eq() | ast.In()], comparators=[other]) if left == name:
            return _texts(other, tree)
        case ast.Subscript(value=ast.Name() as table, slice=ast.Name(id=key)) if key == name:
            return _texts(table, tree)
        case ast.Call(
            func=ast.Attribute(value=ast.Name() as table, attr="get" | "pop"), args=[ast.Name(id=key), *_]
        ) if key == name:
            return _texts(table, tree)
    return set()


def _texts(expression: ast.expr, tree: ast.Module) -> set[str]:
    """The names that a table is asked by, as they are written in it and in what it is made from."""
    found: set[str] = set()
    pending = [expression]
    for _ in range(_STEPS):
        variables: set[str] = set()
        while pending:
            one = pending.pop()
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value.isidentifier():
                found.add(one.value)
            elif isinstance(one, ast.Name):
                variables.add(one.id)
            else:
                pending.extend(_keys(one))
        pending = [value for one in ast.walk(tree) for value in _written(one, variables)] if variables else []
    return found


def _keys(expression: ast.expr) -> Iterator[ast.expr]:
    """What the keys of a table come from: of pairs the first ones, of a comprehension what it goes through."""
    match expression:
        case ast.Dict(keys=keys, values=values):
            yield from (key or value for key, value in zip(keys, values, strict=True))
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            yield from (one.elts[0] if isinstance(one, ast.Tuple | ast.List) and one.elts else one for one in elements)
        case ast.DictComp(generators=loops) | ast.SetComp(generators=loops) | ast.ListComp(generators=loops):
            yield from (loop.iter for loop in loops)
        case ast.BinOp(left=left, right=right):
            yield from (left, right)
        case ast.Call(func=ast.Name(), args=arguments):
            yield from arguments
        case ast.Call(func=ast.Attribute(value=value, attr="keys" | "items" | "copy")):
            yield value


def _written(node: ast.AST, variables: set[str]) -> Iterator[ast.expr]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in variables:
            yield value
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if name in variables:
            yield value
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="update"), args=arguments) if name in variables:
            yield from arguments
