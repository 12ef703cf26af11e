"""Which section says how complete a list of sections is, and which container a nested section belongs to."""

from collections.abc import Mapping

from envparity_agent.fingerprint import FingerprintLike, Reason, SectionLike, Status

# prefix of listed sections -> the section that says how complete the list is
COVERING = {"python/": "python", "app/": "python", "container/": "containers", "service/": "services"}
# prefix -> the schema of that section from which on they are listed: an older agent does not look for them
_LISTED_SINCE = {"app/": 2}


def container_of(sections: Mapping[str, SectionLike], path: str) -> str:
    """The path of the container section that a section is nested in, empty for none: container/web of container/web/os.

    The name of a container may have slashes itself, as Kubernetes' have.
    """
    if not path.startswith(("container/", "image/")):
        return ""
    end = path.rfind("/")
    while end > 0:
        found = sections.get(path[:end])
        if found is not None and found.kind == "container":
            return path[:end]
        end = path.rfind("/", 0, end)
    return ""


def is_complete(section: SectionLike) -> bool:
    """Whether an item that is missing from the section is known not to be there."""
    return section.status == Status.OK or is_known_absence(section)


def is_known_absence(section: SectionLike) -> bool:
    """Whether the section says that there is none."""
    return section.status == Status.ABSENT and section.reasons == (Reason.NOT_INSTALLED,)


def covering(fingerprint: FingerprintLike, path: str) -> SectionLike | None:
    """The section that says how complete the list is in which a path would stand; None where there is none."""
    inside = container_of(fingerprint.sections, path)
    prefix = f"{inside}/" if inside else ""
    own = path.removeprefix(prefix)
    listed = next((listed for listed in COVERING if own.startswith(listed)), None)
    found = fingerprint.sections.get(prefix + COVERING[listed]) if listed else None
    return found if found and found.schema >= _LISTED_SINCE.get(listed or "", 1) else None
