"""What a requirements or freeze file declares, as a section that compares with an installed environment."""

from pathlib import Path

from packaging.utils import canonicalize_name
from pip_requirements_parser import InstallRequirement, RequirementsFile

from envparity_agent.errors import UsageError
from envparity_agent.fingerprint import Attributes, Reason, Section, Status, Value


def read_requirements(path: Path) -> Section:
    """The packages of a requirements or freeze file; raises UsageError where a line is not one.

    Lines that include another file are not followed: the section is then `partial(unsupported)`.
    """
    parsed = RequirementsFile.from_file(str(path))
    if parsed.invalid_lines:
        first = parsed.invalid_lines[0]
        raise UsageError(
            f"{path}, line {first.line_number}: not a requirement: {first.line.strip()[:80]!r}",
            "name a requirements file (pip freeze writes one) or a fingerprint (envparity show --json)",
        )
    items: dict[str, Attributes] = {
        canonicalize_name(one.name): _attributes(one) for one in parsed.requirements if one.name
    }
    unread = any({"requirements", "constraints"} & option.options.keys() for option in parsed.options) or any(
        not one.name for one in parsed.requirements
    )
    return Section(
        f"python/{path.name}",
        "declared",
        1,
        items,
        status=Status.PARTIAL if unread else Status.OK,
        reasons=(Reason.UNSUPPORTED,) if unread else (),
    )


def _attributes(requirement: InstallRequirement) -> Attributes:
    facts: dict[str, Value] = {}
    pinned = requirement.get_pinned_version
    if pinned:
        facts["version"] = pinned
    elif str(requirement.specifier or ""):
        facts["specifier"] = str(requirement.specifier)
    if requirement.marker:
        facts["marker"] = str(requirement.marker)
    if requirement.link:
        facts["source"] = requirement.link.url_without_fragment.split("://")[0] + "://" + _place(requirement)
    return facts


def _place(requirement: InstallRequirement) -> str:
    """Host and path of a requirement's URL, without credentials."""
    link = requirement.link
    return f"{link.netloc.rpartition('@')[2]}{link.path}"
