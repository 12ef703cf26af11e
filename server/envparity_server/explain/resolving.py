"""Follows a name through the modules of one Python environment, as an import would, without running anything.

Three answers: it is there, it is missing, or that cannot be known. What is compiled, made as a module runs, or comes
from the standard library is never missing.
"""

import builtins
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace

from envparity_server.explain.defined import Definition, Module, misfit, settled, steps
from envparity_server.explain.values import Builtin, Callable, Class, Missing, Outcome, Package, Unknown, Value

_MAX_DEPTH = 40  # of names that stand for one another
# classes of the standard library that add nothing to what a subclass has
_EMPTY = frozenset({"object", "typing.Generic", "typing.Protocol", "abc.ABC", "typing_extensions.Protocol"})
_OF_MODULES = frozenset({
    "__annotations__", "__builtins__", "__cached__", "__dict__", "__doc__", "__file__", "__loader__", "__name__",
    "__package__", "__path__", "__spec__",
})  # fmt: skip
_OF_TEXT = {"encode": "bytes", "decode": "str"}  # what these methods of `str` and `bytes` return; the others the same


class Names:
    """The modules of one Python environment, and what the names in them stand for."""

    def __init__(self, modules: Mapping[str, Module], partial_tops: frozenset[str], is_complete: bool) -> None:
        self.modules = modules
        self._packages = {name.rpartition(".")[0] for name in modules}
        self._owners: dict[str, set[str]] = {}
        for name, one in modules.items():
            self._owners.setdefault(name.partition(".")[0], set()).add(one.distribution)
        self._partial = partial_tops  # of which not all modules are told
        self._is_complete = is_complete  # the modules at the top of all distributions are told

    def file(self, module: str) -> str:
        """The file of a module, as it is below a site directory."""
        inner = "/__init__.py" if module in self._packages else ".py"
        return module.replace(".", "/") + inner

    def owner(self, module: str) -> str:
        """The distribution that has a module, or that would have it: the only one with its package; else nothing."""
        known = self.modules.get(module)
        owners = self._owners.get(module.partition(".")[0], set())
        return known.distribution if known else min(owners) if len(owners) == 1 else ""

    def follow(self, chain: str) -> Outcome:
        """What a chain leads to, the first step that fails, or nothing known."""
        (first, _), *rest = steps(chain) or [("", "")]
        value: Outcome = self.module(first)
        last = first
        for attribute, arguments in rest:
            if isinstance(value, Missing):
                return value
            last = getattr(value, "module", "") or getattr(value, "name", "") if _is_told(value) else last
            value = self.member(value, attribute) if attribute else self._called(value, arguments)
            if isinstance(value, Missing) and not value.module:  # of a value of the language: who gave it?
                known = self.modules.get(last)
                value = replace(value, module=last, provider=known.distribution if known else "")
        return value

    def defines(self, module: str, name: str) -> bool:
        """Whether a module is known to bind a name itself."""
        known = self.modules.get(module)
        return known is not None and name in known.definitions

    def module(self, name: str) -> Outcome:
        """A module by its whole name."""
        if name in self.modules or name in self._packages:
            return Package(name)
        top, (outer, _, last) = name.partition(".")[0], name.rpartition(".")
        parent = self.modules.get(outer)
        if parent and (last in parent.definitions or "…" in parent.stars):
            return Unknown()  # it puts the module there as it runs
        if top in sys.stdlib_module_names or top in self._partial or not self._is_complete:
            return Unknown()
        return Missing(f"there is no module {name}", name, self.owner(name))

    def member(self, value: Value, name: str, depth: int = 0) -> Outcome:
        """An attribute of a value."""
        if depth > _MAX_DEPTH:
            return Unknown()
        match value:
            case Package(name=module):
                return self._of_module(module, name, depth)
            case Class():
                return self._of_class(value, name, depth)
            case Builtin(name=kind):
                if hasattr(getattr(builtins, kind), name):
                    return _method_of_text(kind, name)
                return Missing(f"what is given is {kind}, which has no {name}", "")
        return Unknown()

    def _of_module(self, module: str, name: str, depth: int) -> Outcome:
        known = self.modules.get(module)
        inner = f"{module}.{name}"
        if known and known.definitions.get(name):
            return self._defined(module, name, known.definitions[name], None, depth)
        if inner in self.modules or inner in self._packages:
            return Package(inner)
        if known is None or not known.is_known or module.partition(".")[0] in self._partial:
            return Unknown()
        if name in _OF_MODULES:
            return Unknown(certain=True)
        is_unknown = False
        for star in known.stars:
            found = self._starred(star, name, depth)
            if not isinstance(found, Unknown | Missing) or (isinstance(found, Unknown) and found.certain):
                return found
            is_unknown = is_unknown or isinstance(found, Unknown)
        if name in known.answered:
            return Unknown(certain=True)
        dynamic = is_unknown or "__getattr__" in known.definitions
        if dynamic and name not in known.refused:
            return Unknown()
        return Missing(f"{module} has no {name}", module, known.distribution)

    def _starred(self, star: str, name: str, depth: int) -> Outcome:
        """What a name is that comes from `from star import *`."""
        source = self.modules.get(star)
        if source is None or not source.is_known:
            return Unknown()
        if source.listed and name not in source.listed:
            return Unknown()  # `__all__` may be made longer as the module runs
        if name.startswith("_") and not source.listed:
            return Missing(f"{star} has no {name}", star, source.distribution)
        return self.member(Package(star), name, depth + 1)

    def _defined(self, module: str, name: str, definitions: list[Definition], of: Class | None, depth: int) -> Value:
        one = settled(definitions)
        if one is None or depth > _MAX_DEPTH:
            return Unknown(certain=True)
        if one.kind == "import":
            found = self._path(one.origin, depth + 1)
            return Unknown(certain=True) if isinstance(found, Missing | Unknown) else found
        if one.kind == "class":
            return Class(module, name)
        if one.kind == "value":
            return self._expression(module, one.origin, of, depth + 1) if one.origin else Unknown(certain=True)
        if one.is_property and of is not None and of.made:
            return self._expression(module, one.origin, of, depth + 1) if one.origin else Unknown(certain=True)
        return Callable(module, one, of)

    def _path(self, dotted: str, depth: int) -> Outcome:
        parts = dotted.split(".")
        end = next((end for end in range(len(parts), 0, -1) if self._there(".".join(parts[:end]))), 0)
        if not end:
            return Unknown()
        value: Outcome = Package(".".join(parts[:end]))
        if end > 1 and self.defines(".".join(parts[: end - 1]), parts[end - 1]) and end == len(parts):
            outer = ".".join(parts[: end - 1])  # a module that a name of its package hides
            definition = settled(self.modules[outer].definitions[parts[-1]])
            if definition is None or definition.origin != dotted:
                value, end = Package(outer), end - 1
        for part in parts[end:]:
            if isinstance(value, Missing):
                return value
            value = self.member(value, part, depth)
        return value

    def _there(self, module: str) -> bool:
        return module in self.modules or module in self._packages

    def _expression(self, module: str, expression: str, of: Class | None, depth: int) -> Value:
        """What an expression is in the names of a module."""
        if depth > _MAX_DEPTH:
            return Unknown(certain=True)
        (first, _), *rest = steps(expression) or [("", "")]
        value: Outcome
        if first in ("Self", "super") and of is not None:
            value = Class(of.module, of.name)
        elif first in ("str", "bytes") and not self.defines(module, first):
            value = Builtin(first)
        elif self.defines(module, first):
            value = self.member(Package(module), first, depth + 1)
        else:
            return Unknown(certain=True)
        if first == "super" and of is not None and isinstance(value, Class) and len(rest) > 1:
            value, rest = self._inherited(value, rest[1][0], depth + 1), rest[2:]
        for attribute, _ in rest:
            if isinstance(value, Missing):
                break
            value = self.member(value, attribute, depth + 1) if attribute else self._result(value, depth + 1)
        return Unknown(certain=True) if isinstance(value, Missing | Unknown) else value

    def _inherited(self, own: Class, name: str, depth: int) -> Outcome:
        found = [self._of_class(base, name, depth) for base in self._bases(own, depth) if isinstance(base, Class)]
        told = next((one for one in found if not isinstance(one, Missing)), Unknown())
        return Callable(told.module, told.definition, own) if isinstance(told, Callable) else told

    def _bases(self, own: Class, depth: int) -> Iterator[Value]:
        """The bases of a class; Unknown for what is not known of them."""
        definition = self._class(own)
        if definition is None:
            yield Unknown()
            return
        if not definition.is_plain:
            yield Unknown()
        for base in definition.parameters:
            if base.startswith("metaclass="):
                if not own.made:
                    yield Unknown()
                continue
            found = self._expression(own.module, base, None, depth + 1)
            if isinstance(found, Class):
                yield Class(found.module, found.name, own.made)
            elif not self._is_empty(own.module, base):
                yield (
                    Builtin(base, own.made) if _is_builtin(base) and not self.defines(own.module, base) else Unknown()
                )

    def _is_empty(self, module: str, base: str) -> bool:
        first, _, rest = base.partition(".")
        known = self.modules[module].definitions.get(first) or []
        origin = known[0].origin if known and known[0].kind == "import" else first
        return (f"{origin}.{rest}" if rest else origin) in _EMPTY

    def _class(self, own: Class) -> Definition | None:
        known = self.modules.get(own.module)
        return settled(known.definitions.get(own.name) or []) if known else None

    def _of_class(self, own: Class, name: str, depth: int) -> Outcome:
        known = self.modules.get(own.module)
        if known is None or depth > _MAX_DEPTH:
            return Unknown()
        told = known.definitions.get(f"{own.name}.{name}")
        if told:
            return self._defined(own.module, f"{own.name}.{name}", told, own, depth + 1)
        is_dynamic = any(f"{own.name}.{one}" in known.definitions for one in ("__getattr__", "__getattribute__"))
        if is_dynamic or (name.startswith("_") and name not in ("__init__", "__enter__", "__aenter__", "__call__")):
            return Unknown()
        is_unknown = False
        for base in self._bases(own, depth):
            found = self.member(base, name, depth + 1) if not isinstance(base, Unknown) else base
            if isinstance(found, Callable):
                return Callable(found.module, found.definition, own)
            if not isinstance(found, Unknown | Missing) or (isinstance(found, Unknown) and found.certain):
                return found
            is_unknown = is_unknown or isinstance(found, Unknown)
        if is_unknown:
            return Unknown()
        if hasattr(object, name):
            return Unknown(certain=True)
        return Missing(f"{own.name} of {own.module} has no {name}", own.module, known.distribution)

    def _called(self, value: Value, arguments: str) -> Outcome:
        """What a call gives; Missing where the arguments do not fit."""
        if isinstance(value, Class) and not value.made:
            made = Class(value.module, value.name, made=True)
            makes = self._of_class(value, "__new__", 0)
            how = self._of_class(made, "__init__", 0)
            if isinstance(how, Callable) and not isinstance(makes, Callable):
                wrong = self._wrong(how, arguments, f"{value.name} of {value.module}")
                if wrong:
                    return wrong
        elif isinstance(value, Callable):
            name = "it" if value.of is None else ""
            wrong = self._wrong(value, arguments, name)
            if wrong:
                return wrong
        return self._result(value, 0)

    def _wrong(self, function: Callable, arguments: str, called: str) -> Missing | None:
        if not function.definition.is_plain:
            return None
        of = function.of
        why = misfit(function.definition.bound(of is not None and of.made), arguments)
        known = self.modules.get(function.module)
        return Missing(f"{called or 'it'} {why}", function.module, known.distribution) if why and known else None

    def _result(self, value: Value, depth: int) -> Value:
        """What a call gives, whatever its arguments."""
        match value:
            case Class(made=False):
                return Class(value.module, value.name, made=True)
            case Builtin(made=False):
                return Builtin(value.name, made=True)
            case Callable() if value.definition.origin and "contextmanager" not in " ".join(
                value.definition.decorators
            ):
                return self._expression(value.module, value.definition.origin, value.of, depth + 1)
        return Unknown(certain=True)


def _is_told(value: Value) -> bool:
    """Whether a value is of a module that symbols tell of, and not of the language."""
    return isinstance(value, Package | Class) or (isinstance(value, Callable) and bool(value.module))


def _is_builtin(name: str) -> bool:
    return isinstance(getattr(builtins, name, None), type)


def _method_of_text(kind: str, name: str) -> Value:
    if kind in ("str", "bytes"):
        returned = _OF_TEXT.get(name, kind if name in ("join", "strip", "lower", "upper", "format", "replace") else "")
        if returned:
            return Callable("", Definition("function", f"{returned}(…)", ("*args", "**more")))
    return Unknown(certain=True)
