"""What a requirements or freeze file declares, as a section that compares with an installed environment."""

import os
from tempfile import NamedTemporaryFile

from packaging.utils import canonicalize_name
from pip_requirements_parser import InstallRequirement, RequirementsFile

from envparity_agent.collectors.redaction import url
from envparity_agent.errors import UsageError
from envparity_agent.fingerprint import Attributes, Reason, Section, Status, Value


def read_requirements(content: bytes, name: str) -> Section:
    """The packages of a requirements or freeze file; raises UsageError where a line is not one.

    Lines that include another file are not followed: the section is then `partial(unsupported)`.
    """
    with NamedTemporaryFile(suffix=".txt") as copy:  # the parser takes nothing but a file's name
        copy.write(content)
        copy.flush()
        parsed = RequirementsFile.from_file(copy.name)
    if parsed.invalid_lines:
        first = parsed.invalid_lines[0]
        raise UsageError(
            f"{name}, line {first.line_number}: not a requirement: {first.line.strip()[:80]!r}",
            "name a requirements file (pip freeze writes one) or a fingerprint (envparity show --json)",
        )
    items: dict[str, Attributes] = {}
    for one in parsed.requirements:
        if one.name:
            key: str = canonicalize_name(one.name)
            # the same package under several markers: each applies somewhere
            items[f"{key}#{one.marker}" if key in items else key] = _attributes(one)
    unread = any({"requirements", "constraints"} & option.options.keys() for option in parsed.options) or any(
        not one.name for one in parsed.requirements
    )
    return Section(
        f"python/{os.path.basename(name)}",
        "declared",
        1,
        items,
        status=Status.PARTIAL if unread else Status.OK,
        reasons=(Reason.UNSUPPORTED,) if unread else (),
    )


def _attributes(requirement: InstallRequirement) -> Attributes:
    facts: dict[str, Value] = {}
    pinned = requirement.get_pinned_version
    if pinned and "*" not in pinned:
        facts["version"] = pinned
    else:
        facts["specifier"] = str(requirement.specifier or "")
    if requirement.marker:
        facts["marker"] = str(requirement.marker)
    if requirement.link:
        facts["source"] = url(requirement.link.url)
    return facts
