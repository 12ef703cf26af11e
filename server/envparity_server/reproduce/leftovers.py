"""Lists what no image can hold: kernel and hardware, the code and files of the application, patches, unread parts."""

from collections.abc import Iterator, Mapping

from envparity_agent.fingerprint import Attributes, SectionLike, Status, as_texts, in_words
from envparity_server.reproduce.bases import Base, Origin
from envparity_server.reproduce.environments import OS_OWNER, environments
from envparity_server.reproduce.model import FILES_ITEM, UNREAD_ITEM, Gap
from envparity_server.reproduce.target import Subject

# kind of section -> why nothing of it is reproduced
_BEYOND: Mapping[str, str] = {
    "machine": "the kernel and the hardware are those of the host that runs the image",
    "application": "the application's own code is in no fingerprint: put it there",
    "file": "configuration files are in no fingerprint: put them there",
    "containers": "the engine is the host's",
    "python-search": "how far a search came is no part of a target",
}
_SETTING = "is set by the host, its kernel or by hand: the image has what its base image has"


def leftovers(subject: Subject, base: Base) -> Iterator[Gap]:
    """The gaps of all sections from which no instruction is made, and of those that could not be read."""
    yield from _unread(subject)
    yield from _image(subject)
    for kind, why in _BEYOND.items():
        yield from (Gap(section.path, "", why) for section in subject.of_kind(kind))
    for section in subject.of_kind("settings"):
        yield from (Gap(section.path, item, _SETTING) for item in section.items)
    for section in subject.of_kind("configuration"):
        if not subject.described or section.path != f"{subject.described}/config":
            yield Gap(section.path, "", "a service is run by the host: an image has no services")
    for section in subject.others():
        name = section.path.partition("/")[2]
        yield Gap(section.path, "", f"is a container of the host: envparity reproduce container:{name}")
    yield from _libraries(subject, base)
    yield from _owned(subject, base)
    yield from _files(subject, base)


def _unread(subject: Subject) -> Iterator[Gap]:
    for path, section in sorted(subject.sections.items()):
        if section.status in (Status.FAILED, Status.ABSENT) and section.kind not in _BEYOND:
            yield Gap(path, "", f"could not be read: {in_words(section)}")
        elif section.status == Status.PARTIAL:
            yield Gap(path, UNREAD_ITEM, f"could not be read as a whole: {in_words(section)}")


def _image(subject: Subject) -> Iterator[Gap]:
    """An image that is built anew is another one, and a container of it has no changes of its own yet."""
    if not subject.described:
        return
    yield Gap(subject.described, "image", "an image that is built anew has digests and layers of its own")
    if "tag" in subject.items(subject.described):
        yield Gap(subject.described, "tag", "where the tag of the original points is not the rebuilt image's")
    for path, facts in subject.layer.items():
        yield Gap(subject.described, f"layer:{path}", _layer(path, facts))


def _layer(path: str, facts: Attributes) -> str:
    if "#" in path or path.startswith(("deb:", "rpm:", "apk:")):
        return f"{facts.get('change')} in the running container: now it is so from the image on, as no change"
    owner = f", a file of {facts['owner']}" if facts.get("owner") else ""
    return f"{facts.get('change')} by hand in the running container{owner}: its content is in no fingerprint"


def _libraries(subject: Subject, base: Base) -> Iterator[Gap]:
    """Libraries that no package brings; those of the target's own image are there as they are."""
    if base.origin is Origin.OWN:
        return
    for section in subject.of_kind("libraries"):
        for item, facts in section.items.items():
            if facts.get("path") and not facts.get("owner"):
                yield Gap(section.path, item, f"{facts['path']} belongs to no OS package")


def _owned(subject: Subject, base: Base) -> Iterator[Gap]:
    """Distributions that OS packages bring, which nothing installs where those are not told."""
    if base.origin is Origin.OWN or "os-packages" in subject.sections:
        return
    for section in subject.of_kind("python"):
        for item, facts in section.items.items():
            if OS_OWNER.match(str(facts.get("owner") or "")):
                yield Gap(
                    section.path, item, f"belongs to the OS package {facts['owner']}, which is no part of the target"
                )


def _files(subject: Subject, base: Base) -> Iterator[Gap]:
    """Distributions whose files were changed after they were installed, or that nobody looked at for this."""
    verified = {section.path.partition("/")[2]: section for section in subject.of_kind("python-files")}
    for section in verified.values():
        yield from (_patched(section, item, facts) for item, facts in section.items.items())
    if base.origin is Origin.OWN:
        return
    for one in environments(subject):
        if not one.declared and one.distributions and one.section.partition("/")[2] not in verified:
            why = "whether files were changed after they were installed was not looked at: --verify does"
            yield Gap(one.section, FILES_ITEM, why)


def _patched(section: SectionLike, item: str, facts: Attributes) -> Gap:
    paths = [path for key in ("modified", "missing") for path in as_texts(facts.get(key))]
    return Gap(section.path, item, f"its files are not what it was installed with: {', '.join(paths[:5])}")
