"""What a name can stand for when it is followed without running anything: a value, or something that is missing."""

from dataclasses import dataclass

from envparity_server.explain.defined import Definition


@dataclass(frozen=True)
class Package:
    """A module as a value."""

    name: str


@dataclass(frozen=True)
class Class:
    """A class, or with `made` an instance of it."""

    module: str
    name: str
    made: bool = False


@dataclass(frozen=True)
class Callable:
    """A function or a method, and the class that it was reached through."""

    module: str
    definition: Definition
    of: Class | None = None


@dataclass(frozen=True)
class Builtin:
    """A type of the language; with `made` a value of it."""

    name: str
    made: bool = False


@dataclass(frozen=True)
class Unknown:
    """Something that is there, or may be; `certain` where it surely is."""

    certain: bool = False


@dataclass(frozen=True)
class Missing:
    """What is not there: in words what, and the distribution that would have to provide it."""

    what: str
    module: str  # that lacks it
    provider: str = ""  # item of the distribution of that module
    hint: str = ""  # the import that fails, where it is inside of what is imported: `file:line imports ...`
    importer: str = ""  # item of the distribution that has this import


Value = Package | Class | Callable | Builtin | Unknown
Outcome = Value | Missing
