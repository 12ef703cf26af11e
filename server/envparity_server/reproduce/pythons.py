"""Makes each Python environment at its path, with the interpreter that it had, and installs what was in it."""

import re
from collections.abc import Iterable, Sequence

from envparity_agent.kinds import INTERPRETER_ITEM
from envparity_server.reproduce.bases import LOCAL, Base, Origin
from envparity_server.reproduce.environments import Environment, environments, file_names
from envparity_server.reproduce.model import Gap, Part, joined
from envparity_server.reproduce.quoting import shell, word
from envparity_server.reproduce.target import Subject

_FULL = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?")
_BROUGHT = ("pip", "setuptools")  # what `python -m venv` puts in, up to 3.11 both
_TEMPORARY = "/tmp"  # noqa: S108  # of the image that is built
_INDEX = (
    "# another index, or none: --build-arg PIP_INDEX_URL=..., PIP_EXTRA_INDEX_URL=..., PIP_FIND_LINKS=...",
    "ARG PIP_INDEX_URL",
    "ARG PIP_EXTRA_INDEX_URL",
    "ARG PIP_FIND_LINKS",
)


def pythons(subject: Subject, base: Base) -> Part:
    """The instructions for every environment, and a requirements file for each that has one."""
    found = list(environments(subject))
    names = file_names(found, "requirements", "-", ".txt")
    parts = [_environment(subject, base, one, names.get(one.section, "")) for one in found]
    if any(line.startswith("COPY requirements") for one in parts for line in one.lines):
        parts.insert(0, Part(_INDEX))
    return joined(parts)


def _environment(subject: Subject, base: Base, one: Environment, name: str) -> Part:
    """One environment; in the target's own image only where it was changed after that was built."""
    impossible = _impossible(one)
    if impossible:
        return Part(gaps=(impossible,))
    wanted = one.requirements
    files = {name: wanted.text(f"What {one.section} has")} if one.distributions else {}
    part = Part(files=files, gaps=wanted.gaps)
    if base.origin is Origin.OWN:
        removed = _removed(subject, one)
        if removed is None:
            return part
        return joined(
            [part, Part((f"# changed in the running container: {one.prefix}", *_install(one, name, removed)))]
        )
    if one.role == "interpreter":
        return joined([part, _into_interpreter(one, name)])
    python = _interpreter(one, base)
    brought = [each for each in _BROUGHT if each not in one.distributions] if one.complete else []
    return joined([part, python, Part(_venv(one, base, name, brought))])


def _impossible(one: Environment) -> Gap | None:
    if not one.prefix:
        return Gap(one.section, "", "its path cannot be written in a Dockerfile")
    if one.has_conda:
        return Gap(one.section, "", "conda made it: rebuild it with conda, from the versions, builds and channels told")
    if one.facts.get("implementation") == "pypy":
        return Gap(one.section, "", "its interpreter is PyPy")
    if one.role == "site" and one.distributions:
        return Gap(one.section, "", "is a directory of packages without an interpreter of its own")
    return None


def _removed(subject: Subject, one: Environment) -> list[str] | None:
    """The distributions that were taken out of an environment in the running container; None where nothing changed."""
    below = {path: facts for path, facts in subject.layer.items() if path.startswith(f"{one.prefix}/")}
    if not below:
        return None
    return sorted(
        path.partition("#")[2]
        for path, facts in below.items()
        if "#" in path and facts.get("change") == "deleted" and re.fullmatch(r"[a-z0-9-]+", path.partition("#")[2])
    )


def _into_interpreter(one: Environment, name: str) -> Part:
    """What was installed beside the packages of the operating system; without pip nothing can be."""
    if not one.distributions:
        return Part()
    if one.prefix == f"/{LOCAL}":
        return Part((f"# beside the packages of the interpreter below {one.prefix}", *_install(one, name, [])))
    why = "was installed beside the interpreter's own packages, and the base image may have no pip that does so"
    return Part(gaps=tuple(Gap(one.section, item, why) for item in one.distributions))


def _interpreter(one: Environment, base: Base) -> Part:
    """An interpreter that neither the OS packages nor the base image bring, from the official image of its version."""
    place, version = one.base, str(one.facts.get("version") or "")
    if not place or place in ("usr", LOCAL) or base.origin is Origin.PYTHON:
        other = place and place != LOCAL and base.origin is Origin.PYTHON
        why = f"was made from the interpreter below /{place}, and now is from the one that the image has"
        return Part(gaps=(Gap(one.section, INTERPRETER_ITEM, why),) if other else ())
    if not _FULL.fullmatch(version):
        why = f"its interpreter below /{place} is of a version that is not fully known"
        return Part(gaps=(Gap(one.section, INTERPRETER_ITEM, why),))
    why = f"its interpreter below /{place} is of no OS package: the same version of the official image takes its place"
    line = f"COPY --from=python:{version}-slim /{LOCAL}/ {word(f'/{place}/')}"
    return Part((line,), gaps=(Gap(one.section, INTERPRETER_ITEM, why),))


def _venv(one: Environment, base: Base, name: str, removed: Iterable[str]) -> tuple[str, ...]:
    python = f"python{one.abi or '3'}"
    if base.origin is not Origin.PYTHON and one.base:
        python = f"/{one.base}/bin/{python}"
    visible = " --system-site-packages" if one.facts.get("system_site") else ""
    return _install(one, name, removed, first=f"{shell(python)} -m venv{visible} {shell(one.prefix)}")


def _install(one: Environment, name: str, removed: Iterable[str], first: str = "") -> tuple[str, ...]:
    """The steps that install what a requirements file lists into an environment, and remove what is not in it."""
    pip = f"{shell(f'{one.prefix}/bin/python{one.abi or 3}')} -m pip --no-cache-dir --disable-pip-version-check"
    steps = [first] if first else []
    if one.distributions:
        alone = " --no-deps" if one.complete or not one.declared else ""
        steps += [f"{pip} install{alone} --requirement {_TEMPORARY}/{name}", f"rm {_TEMPORARY}/{name}"]
    if removed:
        steps.append(f"{pip} uninstall --yes {' '.join(sorted(removed))}")
    copy = (f"COPY {name} {_TEMPORARY}/{name}",) if one.distributions else ()
    return (*copy, *_chained(steps)) if steps else ()


def _chained(steps: Sequence[str]) -> tuple[str, ...]:
    """One instruction of all steps."""
    lines = [f"RUN {steps[0]}", *(f"    && {step}" for step in steps[1:])]
    return (*(f"{line} \\" for line in lines[:-1]), lines[-1])
