"""Reads what symbols tell of a name: an import, a function, a class, or a value, and what leads on from there."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_CALLABLE = re.compile(r"^(class )?([\w.]+)\((.*?)\)(?: -> (.*?))?((?: @\S+)*)$")
_STEP = re.compile(r"\.?([^.()]+)|\(([^()]*)\)")

# decorators of the language that leave what can be called as it is written
_PLAIN = frozenset({
    "abc.abstractmethod", "abstractmethod", "cache", "classmethod", "final", "functools.cache", "functools.lru_cache",
    "lru_cache", "override", "staticmethod", "typing.final", "typing.override",
})  # fmt: skip
_PROPERTIES = frozenset({"property", "cached_property", "functools.cached_property", "abc.abstractproperty"})
_OVERLOADS = frozenset({"overload", "typing.overload", "t.overload", "typing_extensions.overload"})
_PLAIN_OF_CLASSES = frozenset({
    "dataclass", "dataclasses.dataclass", "enum.unique", "final", "functools.total_ordering", "runtime_checkable",
    "total_ordering", "typing.final", "typing.runtime_checkable", "unique",
})  # fmt: skip


@dataclass(frozen=True)
class Definition:
    """One thing that a name is told to be."""

    kind: str  # import, function, class, value
    origin: str = ""  # of an import; of a value or function the expression that it is or returns
    parameters: tuple[str, ...] = ()  # of a function; the bases of a class
    decorators: tuple[str, ...] = ()

    @property
    def is_property(self) -> bool:
        """Whether it is read and not called."""
        return any(one in _PROPERTIES for one in self.decorators)

    @property
    def is_overload(self) -> bool:
        """Whether it is for type checkers only."""
        return any(one in _OVERLOADS for one in self.decorators)

    @property
    def is_plain(self) -> bool:
        """Whether no decorator may change what it is."""
        known = _PLAIN_OF_CLASSES if self.kind == "class" else _PLAIN | _PROPERTIES
        return all(one in known for one in self.decorators)

    def bound(self, to_instance: bool) -> tuple[str, ...]:
        """The parameters of a method without the one that Python fills in."""
        if "staticmethod" in self.decorators or not (to_instance or "classmethod" in self.decorators):
            return self.parameters
        return self.parameters[1:] if self.parameters and not self.parameters[0].startswith("*") else self.parameters


@dataclass
class Module:
    """What is told of a module; nothing is known of the names of one whose source could not be read."""

    name: str
    distribution: str  # item of its section
    section: str
    is_known: bool = False
    definitions: dict[str, list[Definition]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    listed: set[str] = field(default_factory=set)  # `__all__`
    answered: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    raises: bool = False
    uses: tuple[str, ...] = ()


def read_module(name: str, distribution: str, section: str, attributes: Mapping[str, object]) -> Module:
    """The module that an item of a section of symbols tells."""
    module = Module(name, distribution, section)
    told, used = attributes.get("names"), attributes.get("uses")
    if isinstance(used, tuple):
        module.uses = used
    if isinstance(told, tuple):
        module.is_known = True
        for one in told:
            _enter(module, one)
    return module


def _enter(module: Module, told: str) -> None:
    name, _, value = told.partition(" ")
    if told == "! raise":
        module.raises = True
    elif name == "*":
        module.stars.append(value.removeprefix("< "))
    elif value.startswith("< "):
        module.definitions.setdefault(name, []).append(Definition("import", value[2:]))
    elif value.startswith("> "):
        (module.listed if name == "__all__" else module.answered).add(value[2:])
    elif value.startswith("! "):
        module.refused.add(value[2:])
    elif "(" not in told.partition(" -> ")[0]:
        module.definitions.setdefault(name, []).append(Definition("value", value.removeprefix("-> ")))
    else:
        match = _CALLABLE.match(told)
        if match is None:
            return
        kind, name, parameters, returned, decorators = match.groups()
        found = Definition(
            "class" if kind else "function",
            returned or "",
            tuple(filter(None, parameters.split(", "))),
            tuple(one.removeprefix("@") for one in decorators.split()),
        )
        module.definitions.setdefault(name, []).append(found)


def settled(definitions: Sequence[Definition]) -> Definition | None:
    """What a name is where it is told once; None where it may be one of several things."""
    real = [one for one in definitions if not one.is_overload] or definitions
    return real[0] if len(real) == 1 else None


def steps(chain: str) -> list[tuple[str, str]]:
    """The steps of a chain: an attribute and an empty text, or an empty text and the arguments of a call."""
    return [(attribute, arguments) for attribute, arguments in _STEP.findall(chain) if attribute or arguments != ""]


def misfit(parameters: Sequence[str], arguments: str) -> str | None:
    """Why a call does not fit a signature, in words; None where it does, or where that is not known."""
    if arguments == "…":
        return None
    given = arguments.split(", ")
    open_ended, more = "*" in given, "**" in given
    count = int(given[0]) if given[0].isdigit() else 0
    keywords = [one.rstrip("=") for one in given if one.endswith("=")]
    positional, required, named, takes_more, takes_any = _sorted_out(parameters)
    for keyword in keywords:
        if keyword not in named and not takes_any:
            return f"takes no argument {keyword}"
    if count > len(positional) and not takes_more:
        return f"takes at most {len(positional)} arguments by position"
    if not open_ended and not more:
        lacking = [one for one in required if one not in positional[:count] and one not in keywords]
        if lacking:
            return f"requires an argument {lacking[0]}"
    return None


def _sorted_out(parameters: Sequence[str]) -> tuple[list[str], list[str], set[str], bool, bool]:
    """By position; required; by keyword; whether any number by position; whether any keyword."""
    positional: list[str] = []
    required: list[str] = []
    named: set[str] = set()
    takes_more = takes_any = after_star = False
    for one in parameters:
        name = one.rstrip("=")
        if one.startswith("**"):
            takes_any = True
        elif one.startswith("*"):
            after_star, takes_more = True, takes_more or one != "*"
        elif one == "/":
            named -= set(positional)
        else:
            named.add(name)
            required += [] if one.endswith("=") else [name]
            positional += [] if after_star else [name]
    return positional, required, named, takes_more, takes_any
