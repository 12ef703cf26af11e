"""Tells which Python distributions provide a module or a file, as far as the two sides tell."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from envparity_agent.fingerprint import Attributes, FingerprintLike, as_texts
from envparity_agent.kinds import INTERPRETER_ITEM
from envparity_server.compare.model import DRIFT_STATES, State
from envparity_server.explain.likeness import SURE, likeness, normal
from envparity_server.explain.model import Situation, Suspect

_KINDS = frozenset({"python", "declared"})
_SITE = re.compile(r".*[/\\](?:site|dist)-packages[/\\](.*)", re.DOTALL)
_EGG = re.compile(r".*[/\\]([^/\\]+)\.egg[/\\](.*)", re.DOTALL)
_STDLIB = re.compile(r"<frozen |.*[/\\](?:lib(?:64)?[/\\](?:python|pypy)3(?:\.\d+)?t?|Lib)[/\\][^/\\]", re.DOTALL)
_SUFFIX = re.compile(r"\.(?:py[xdwi]?|so|(?:cpython|abi3|cp\d+)[\w.-]*)$")

Names = Mapping[str, Mapping[str, str]]  # module -> name -> the entry of a `symbols` section that tells it


class Providers:
    """The distributions of both sides, with what they provide."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.suspects: dict[str, list[Suspect]] = {}
        self.interpreters: list[Suspect] = []
        for suspect, differences in situation.suspects.items():
            if differences[0].kind not in _KINDS or not any(one.state in DRIFT_STATES for one in differences):
                continue
            if suspect.item == INTERPRETER_ITEM:
                self.interpreters.append(suspect)
            elif suspect.item:
                self.suspects.setdefault(_name(suspect.item), []).append(suspect)
        self.good, self.bad = (_distributions(side) for side in (situation.good, situation.bad))
        self.names = tuple(sorted({*self.good, *self.bad}))

    def is_gone(self, name: str) -> bool:
        """Whether only the good side has a distribution."""
        return any(
            difference.state == State.ONLY_LEFT
            for suspect in self.suspects.get(name, ())
            for difference in self.situation.suspects[suspect]
        )

    def versions(self, name: str) -> tuple[str, str]:
        """The version of a distribution on the good and on the bad side; empty where there is none."""
        return _version(self.good.get(name)), _version(self.bad.get(name))

    def release(self, name: str, good: bool) -> str:
        """What a person calls a distribution as one side has it: `numpy 1.26.4`."""
        version = self.versions(name)[0 if good else 1]
        return f"{name} {version}" if version else f"{name} of the {'good' if good else 'bad'} side"

    def change(self, name: str) -> str:
        """How a distribution differs, to be read after its name and a comma."""
        good, bad = self.versions(name)
        if good and bad:
            return f"{bad} instead of {good}" if good != bad else f"{good} on both sides, with other content"
        return f"which only the {'good' if good or self.is_gone(name) else 'bad'} side has"

    def requires(self, name: str) -> set[str]:
        """The names that a distribution requires, on either side."""
        found = set()
        for side in (self.good, self.bad):
            for one in as_texts(side.get(name, {}).get("requires")):
                match = re.match(r"[A-Za-z0-9][\w.-]*", one)
                found |= {normal(match[0])} if match else set()
        return found - {name}

    def of_module(self, module: str) -> dict[str, float]:
        """The distributions that provide a module, each with how sure that is: from 1 down to 0.3.

        What the sections `symbols` tell is sure; else it is the distribution whose name is the most like, if any is.
        """
        if told := self._told(module):
            return dict.fromkeys(sorted(told), 1.0)
        likely = {name: likeness(module, name) for name in self.names if name not in self._known}
        best = max(likely.values(), default=0.0)
        return {name: much for name, much in likely.items() if much == best and much > 0}

    def of_file(self, path: str) -> dict[str, float]:
        """The distributions that a file of a traceback belongs to; none for the standard library and an application."""
        if match := _EGG.match(path):
            name = normal(match[1].partition("-")[0])
            return {name: 1.0} if name in self.names else {}
        if match := _SITE.match(path):
            return self.of_module(module_of(match[1]))
        if _is_relative(path):  # a compiled module tells its source as it was named when it was built
            return {name: much for name, much in self.of_module(module_of(path)).items() if much >= SURE}
        return {name: 1.0 for name, place in self._checkouts if path.startswith(place)}

    def symbols(self, name: str) -> tuple[Names, Names]:
        """The names of a distribution's modules on the good side and on the bad one."""
        good, bad = self._symbols
        return good.get(name, {}), bad.get(name, {})

    def _told(self, module: str) -> set[str]:
        """The distributions whose symbols have the module, else what holds it."""
        while module:
            if found := self._modules.get(module):
                return found
            module = module.rpartition(".")[0]
        return set()

    @cached_property
    def _modules(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for side in self._symbols:
            for name, modules in side.items():
                for module in modules:
                    found.setdefault(module, set()).add(name)
        return found

    @cached_property
    def _known(self) -> set[str]:
        """Distributions of which the modules are told: a likeness of names would say less."""
        good, bad = self._symbols
        return {name for name in {*good, *bad} if good.get(name) or bad.get(name)}

    @cached_property
    def _symbols(self) -> tuple[dict[str, Names], dict[str, Names]]:
        return _symbols(self.situation.good), _symbols(self.situation.bad)

    @cached_property
    def _checkouts(self) -> list[tuple[str, str]]:
        found = []
        for side in (self.good, self.bad):
            for name, attributes in side.items():
                source = str(attributes.get("source") or "")
                if source.startswith("file:///"):
                    found.append((name, source.removeprefix("file://").rstrip("/") + "/"))
        return sorted(set(found))


def module_of(path: str) -> str:
    """The module of a path below a directory of sys.path: `flask/app.py` is flask.app, `six.py` is six."""
    parts = _SUFFIX.sub("", path).replace("\\", "/").strip("/").split("/")
    return ".".join(part for part in parts if part not in ("", ".", "__init__"))


def is_stdlib(path: str) -> bool:
    """Whether a file of a traceback is the interpreter's own."""
    return not is_installed(path) and bool(_STDLIB.match(path))


def is_installed(path: str) -> bool:
    """Whether a file lies where distributions are installed."""
    return bool(_SITE.match(path) or _EGG.match(path))


def _name(item: str) -> str:
    return item.partition("#")[0].removeprefix("conda:")


def _version(attributes: Attributes | None) -> str:
    return str((attributes or {}).get("version") or "")


def _is_relative(path: str) -> bool:
    return "/" in path and path[0] not in "/<\\" and path[1:2] != ":" and path[:2] != ".."


def _distributions(side: FingerprintLike) -> dict[str, Attributes]:
    found: dict[str, Attributes] = {}
    for section in _of_kind(side, _KINDS):
        for item, attributes in section:
            if not item.startswith("@"):
                found.setdefault(_name(item), attributes)
    return found


def _of_kind(side: FingerprintLike, kinds: frozenset[str]) -> Iterator[Iterable[tuple[str, Attributes]]]:
    for _, section in sorted(side.sections.items()):
        if section.kind in kinds:
            yield section.items.items()


def _symbols(side: FingerprintLike) -> dict[str, Names]:
    """Distribution -> module -> name -> its entry; a module of which no names are known has none."""
    found: dict[str, Names] = {}
    for path, section in sorted(side.sections.items()):
        if section.kind == "symbols":
            name = path.rpartition("symbols/")[2].rpartition("-")[0]
            found[name] = {module: _entries(attributes) for module, attributes in section.items.items()}
    return found


def _entries(attributes: Attributes) -> dict[str, str]:
    return {re.split(r"[(< ]", one, maxsplit=1)[0] or one: one for one in as_texts(attributes.get("names"))}
