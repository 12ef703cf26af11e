"""Says what importing gives in one Python environment, and why it fails, without running anything.

A module that cannot be imported takes all with it that import it: what is missing may be far from what was asked for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from envparity_server.explain.defined import Module
from envparity_server.explain.resolving import Names
from envparity_server.explain.values import Missing, Outcome, Package

_MAX_MODULES = 50_000


class Environment(Names):
    """The modules of one Python environment, and what importing them does."""

    def __init__(self, modules: Mapping[str, Module], partial_tops: frozenset[str], is_complete: bool) -> None:
        super().__init__(modules, partial_tops, is_complete)
        self._runs: dict[str, Missing | None] = {}

    def imported(self, module: str, name: str = "") -> Outcome:
        """What an import gives: also Missing where the module raises while it is imported."""
        parts = module.split(".")
        for end in range(1, len(parts) + 1):
            outer = ".".join(parts[:end])
            there = self.module(outer)
            if not isinstance(there, Package):
                return there
            failed = self.runs(outer)
            if failed is not None:
                return failed
        if not name or name == "*":
            return Package(module)
        inner = f"{module}.{name}"
        failed = self.runs(inner) if inner in self.modules and not self._hides(module, name) else None
        return failed or self.member(Package(module), name)

    def _hides(self, module: str, name: str) -> bool:
        """Whether a package binds the name of a module in it to anything but that module."""
        known = self.modules.get(module)
        return known is not None and any(one.origin != f"{module}.{name}" for one in known.definitions.get(name, ()))

    def runs(self, module: str) -> Missing | None:
        """Why a module cannot be imported; None where it can, as far as is known."""
        if module in self._runs or len(self._runs) > _MAX_MODULES:
            return self._runs.get(module)
        self._runs[module] = None  # also the answer to a module that imports itself in a circle
        known = self.modules.get(module)
        if known is None:
            return None
        if known.raises:
            self._runs[module] = Missing(f"{self.file(module)} raises when it is imported", module, known.distribution)
            return self._runs[module]
        for line, target, name in plain_imports(known):
            try:
                outcome = self.imported(target, name)
            except RecursionError:
                return None
            if isinstance(outcome, Missing):
                how = f"{self.file(module)}:{line} imports {f'{name} from ' if name else ''}{target}"
                self._runs[module] = (
                    outcome if outcome.hint else replace(outcome, hint=how, importer=known.distribution)
                )
                break
        return self._runs[module]


def plain_imports(module: Module) -> Iterator[tuple[str, str, str]]:
    """Line, module and name of what is imported whenever a module is, and not guarded."""
    for use in module.uses:
        line, _, what = use.partition(" ")
        if not line.isdigit():
            continue
        if what.startswith("import "):
            yield line, what.removeprefix("import "), ""
        elif what.startswith("from "):
            source, _, name = what.removeprefix("from ").partition(" import ")
            yield line, source, name
