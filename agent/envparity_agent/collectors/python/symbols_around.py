"""Tells the symbols of some distributions and of what uses them: as few sources as possible are parsed.

Who imports them, and may use a name that their two sides do not share, is found in the bytes of the sources. From the
uses that such a name is in, modules are parsed as far as a name, a base class or what a function returns leads on. Of
everything else only the modules at the top are told. Where that would take too long, modules come first that import
such a name; of others an attribute may only be called so, and the more of them have it, the likelier that is.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import partial
from itertools import islice

from envparity_agent.collectors.interface import Around, Subject
from envparity_agent.collectors.python.distributions import Distribution
from envparity_agent.collectors.python.importers import importers, required, tops_of
from envparity_agent.collectors.python.modules import ModuleFile, is_package, modules_of, section_path, source_of
from envparity_agent.collectors.python.symbols import SCHEMA, is_cut, parsed
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import MAX_ITEMS, Attributes, Reason, Section, Status, as_texts

MAX_STEPS = 200_000  # names that are followed
MAX_PARSED = 1_500_000  # bytes of sources whose uses are told, and as many whose names are
MAX_PARTS = 16  # of a name that is followed

_CALLED = re.compile(r"\([^()]*\)")
_USE = re.compile(r"^\d+[a-z]* (?:(?:from (\S+) )?import (\S+)|class \w+\((.*)\)|(.*))$")


def symbols_around(subject: Subject, distributions: Sequence[Distribution], asked: Around) -> Iterator[Section]:
    """A section for each distribution, as `symbols` makes it: its modules, and what those that matter define and use.

    `partial(cap)` where only the modules at the top are told, as nothing leads there.
    """
    known = _Known(subject, distributions)
    subject.progress(f"looking for what uses {len(asked.distributions)} distributions")
    known.follow(name for use in sorted(asked.uses) for name in followed(use))
    needed = _needed(subject, distributions, asked)
    users = known.users(asked, needed)
    known.parse(users, "uses")
    used = ((module, name) for module in users for use in known.uses(module) for name in followed(use))
    known.follow(name for module, name in used if module in asked.changed or known.needs(name, needed))
    for one in distributions:
        section = known.section(one, one.name in asked.distributions)
        if section is not None:
            yield section


def followed(use: str) -> Iterator[str]:
    """The dotted names that a use begins at: without the arguments of calls."""
    match = _USE.match(use)
    if match is None:
        return
    module, name, bases, chain = match.groups()
    if chain or name:
        yield _CALLED.sub("", chain or (f"{module}.{name}" if module else name))
    else:
        yield from _CALLED.sub("", bases).split(", ")


class _Known:
    """The modules of an environment, and what has been parsed of them."""

    def __init__(self, subject: Subject, distributions: Sequence[Distribution]) -> None:
        self._subject = subject
        self._distributions = distributions
        self._files: dict[str, tuple[Distribution, ModuleFile]] = {}
        self._of: dict[str, tuple[str, ...] | str] = {}  # place -> modules, or why they are not known
        self._parsed: dict[str, dict[str, Attributes]] = {"names": {}, "uses": {}}
        self._defined: dict[str, Mapping[str, Sequence[str]]] = {}
        self._reasons: dict[str, set[str]] = {}
        self._seen: set[tuple[str, ...]] = set()
        self._left = {"names": MAX_PARSED, "uses": MAX_PARSED}
        for one in distributions:
            if section_path(one) is None:
                continue
            try:
                files = dict(islice(modules_of(subject, one).items(), MAX_ITEMS))
            except Unreadable as problem:
                self._of[one.place] = problem.reason
                continue
            self._of[one.place] = tuple(files)
            for module, file in files.items():
                self._files.setdefault(module, (one, file))

    def users(self, asked: Around, needed: Mapping[str, Set[str]]) -> Sequence[str]:
        """The modules that import what is asked about from another package, and need what its two sides do not share.

        A module that is new itself needs nothing of that: its uses may be.
        """
        imported = [one for one in self._distributions if one.name in asked.distributions]
        users = {}
        for user in importers(self._subject, self._distributions, imported):
            words = set().union(*(needed[top] for top in user.tops))
            if user.module in asked.changed or not user.words.isdisjoint(words):
                users[user.module] = user.imported & words, user.words & words
        common = Counter(word for _, words in users.values() for word in words)

        def order(module: str) -> tuple[bool, int, int, str]:
            imports, words = users[module]
            return not imports, min((common[word] for word in words), default=0), module.count("."), module

        return sorted(users, key=order)

    def uses(self, module: str) -> tuple[str, ...]:
        """What a module that was parsed uses."""
        return as_texts(self._parsed["uses"].get(module, {}).get("uses"))

    def needs(self, name: str, needed: Mapping[str, Set[str]]) -> bool:
        """Whether a name that is used has one of the words that a use of its package needs."""
        parts = tuple(name.split("."))
        words = needed.get(parts[0], frozenset())
        inside = parts[len(self._module(parts).split(".")) :]  # of a module only what it lacks is a word, or it itself
        return not words.isdisjoint(inside) or not words.isdisjoint(_prefixes(parts))

    def follow(self, names: Iterable[str]) -> None:
        """Parse every module that leads to one of these names, wave by wave from those that they begin in."""
        pending = dict.fromkeys(tuple(name.split(".")) for name in names)
        while pending and len(self._seen) < MAX_STEPS:
            wave = [parts for parts in pending if len(parts) <= MAX_PARTS and parts not in self._seen]
            self._seen.update(wave)
            inside = {parts: self._module(parts).split(".") for parts in wave}
            self.parse(dict.fromkeys(outer for module in inside.values() for outer in _prefixes(module)), "names")
            pending = dict.fromkeys(led for parts in wave for led in self._next(parts, tuple(inside[parts])))

    def _module(self, parts: Sequence[str]) -> str:
        """The module that a dotted name is in."""
        return next((one for one in _prefixes(parts) if one in self._files), "")

    def _next(self, parts: tuple[str, ...], inside: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        """The names that a name in a module leads to."""
        name, *rest = parts[len(inside) :] or ("",)
        if not name:
            return
        defined = self._names(".".join(inside))
        told = [*defined.get(name, ()), *(defined.get(f"{name}.{rest[0]}", ()) if rest else ())]
        for one in told or defined.get("*", ()):
            yield from _leads(one, inside, name, tuple(rest))

    def _names(self, module: str) -> Mapping[str, Sequence[str]]:
        """What a module defines, by the name itself."""
        if module not in self._defined:
            found: dict[str, list[str]] = {}
            for one in as_texts(self._parsed["names"].get(module, {}).get("names")):
                found.setdefault(re.split(r"[ (]", one.removeprefix("class "), maxsplit=1)[0], []).append(one)
            self._defined[module] = found
        return self._defined[module]

    def parse(self, modules: Iterable[str], wanted: str) -> None:
        """Parse the names or the uses of modules that were not: not of binaries, nor of more than may be parsed."""
        readings = {}
        for module in modules:
            if module in self._parsed[wanted] or module not in self._files:
                continue
            self._parsed[wanted][module] = {}
            distribution, file = self._files[module]
            if file.is_binary:
                continue
            source = self._read(distribution, file)
            if len(source) > self._left[wanted]:
                self._reasons.setdefault(distribution.place, set()).add(Reason.CAP)
                continue
            self._left[wanted] -= len(source)
            path = section_path(distribution)
            read = partial(parsed, source, module, is_package(file.path), wanted=(wanted,))
            readings[module] = len(source), ((wanted, path, file.path), path, read)
        ordered = sorted(readings, key=lambda module: -readings[module][0])  # so that each process has as much to do
        told = self._subject.memory.recall_all([readings[module][1] for module in ordered])
        self._parsed[wanted].update(zip(ordered, told, strict=True))

    def _read(self, distribution: Distribution, file: ModuleFile) -> bytes:
        try:
            return source_of(self._subject, distribution, file)
        except Unreadable as problem:
            self._reasons.setdefault(distribution.place, set()).add(problem.reason)
            return b""

    def section(self, distribution: Distribution, asked: bool) -> Section | None:
        """What is told of a distribution; None where it has no content id."""
        path, found = section_path(distribution), self._of.get(distribution.place)
        if path is None or found is None:
            return None
        if isinstance(found, str):
            return Section(path, "symbols", SCHEMA, status=Status.FAILED, reasons=(found,))
        own = [one for one in found if self._files[one][0] is distribution]
        defined, used = self._parsed["names"], self._parsed["uses"]
        if asked or any(one in defined or one in used for one in own):
            items = {one: {**defined.get(one, {}), **used.get(one, {})} for one in own}
            reasons = self._reasons.get(distribution.place, set())
            reasons = reasons | {Reason.CAP} if any(map(is_cut, items.values())) else reasons
        else:
            items, reasons = {one.partition(".")[0]: {} for one in own}, {Reason.CAP}
        status = Status.PARTIAL if reasons else Status.OK
        return Section(path, "symbols", SCHEMA, items, status, tuple(sorted(reasons)))


def _needed(subject: Subject, distributions: Sequence[Distribution], asked: Around) -> Mapping[str, Set[str]]:
    """Package -> words of which a use of it needs one: its own, where it is asked about, else those of all it leads to.

    What nothing is known of on the other side has its packages' names for words.
    """
    words = {
        one.name: asked.words.get(one.name, tops_of(subject, [one]))
        for one in distributions
        if one.name in asked.distributions
    }
    reached = _reached(distributions, words.keys())
    found: dict[str, set[str]] = {}
    for one in distributions:
        leads_to = {one.name} if one.name in words else reached[one.name]
        for top in tops_of(subject, [one]) if leads_to else ():
            found.setdefault(top, set()).update(*(words[name] for name in leads_to))
    return found


def _reached(distributions: Sequence[Distribution], names: Set[str]) -> Mapping[str, Set[str]]:
    """Distribution -> those with these names that it is, requires, or requires by way of others."""
    required_by = {one.name: required(one) for one in distributions}
    reached = {name: {name} & names for name in required_by}
    is_settled = False
    while not is_settled:
        is_settled = True
        for name, others in required_by.items():
            more = set().union(*(reached[other] for other in others if other in reached))
            if not more <= reached[name]:
                reached[name] |= more
                is_settled = False
    return reached


def _prefixes(parts: Sequence[str]) -> Iterator[str]:
    """The dotted beginnings of a name, the longest first."""
    return (".".join(parts[:end]) for end in range(len(parts), 0, -1))


def _leads(told: str, module: tuple[str, ...], name: str, rest: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Where a name that is told so leads, with what is asked of it."""
    whole, imported, source = told.partition(" < ")
    if imported:
        yield (*source.split("."), *([name] if whole == "*" else []), *rest)
        return
    told = told.partition(" @")[0]
    called, returned, value = told.partition(" -> ")
    if returned:
        start = _CALLED.sub("", value).split(".")
        asked = rest[1:] if "." in called.partition("(")[0] else rest
        yield (*module, *([name] if start[0] in ("Self", "super") else start[:1]), *start[1:], *asked)
    elif called.startswith("class "):
        for base in called.partition("(")[2].rstrip(")").split(", "):
            if base and "=" not in base and "…" not in base:
                yield (*module, *base.split("."), *rest)
