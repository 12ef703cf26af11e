"""The packages of the operating system, from the package manager's own database."""

from collections import Counter
from collections.abc import Iterator

from envparity_agent.collectors.interface import Subject
from envparity_agent.fingerprint import Attributes, Reason, Section, Status
from envparity_agent.root import MIB

_STATUS = "var/lib/dpkg/status"
_WANTED = frozenset({"Package", "Status", "Version", "Architecture", "Source"})


def collect(subject: Subject) -> Iterator[Section]:
    """Yield `os-packages`: dpkg's database, or `absent(unsupported)` where the system has none."""
    content = subject.root.read_if_there(_STATUS, cap=64 * MIB)
    if content is None:
        yield Section("os-packages", "os-packages", 1, status=Status.ABSENT, reasons=(Reason.UNSUPPORTED,))
        return
    paragraphs = tuple(_paragraphs(content.decode("utf-8", "replace")))
    packages = [fields for fields in paragraphs if _is_on_disk(fields)]
    complete = _is_whole(content, paragraphs) and all(
        fields.keys() >= {"Version", "Architecture"} for fields in packages
    )
    yield Section(
        "os-packages",
        "os-packages",
        1,
        _items(packages),
        status=Status.OK if complete else Status.PARTIAL,
        reasons=() if complete else (Reason.INVALID,),
    )


def _is_whole(content: bytes, paragraphs: tuple[dict[str, str], ...]) -> bool:
    """Whether the file is what dpkg writes: not empty, not cut off, a package and its status in each paragraph."""
    return (
        content.endswith(b"\n") and bool(paragraphs) and all({"Package", "Status"} <= one.keys() for one in paragraphs)
    )


def _paragraphs(text: str) -> Iterator[dict[str, str]]:
    """The wanted fields of each paragraph: https://www.debian.org/doc/debian-policy/ch-controlfields.html."""
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        if not line.strip():
            if fields:
                yield fields
            fields = {}
        elif line[0] not in " \t":
            name, _, value = line.partition(":")
            if name in _WANTED:
                fields[name] = value.strip()
    if fields:
        yield fields


def _is_on_disk(fields: dict[str, str]) -> bool:
    """Whether files of the package are there: not so for `not-installed` and `config-files`."""
    state = fields.get("Status", "").split(" ")[-1]
    return bool(fields.get("Package")) and state not in ("", "not-installed", "config-files")


def _items(packages: list[dict[str, str]]) -> dict[str, Attributes]:
    installations = Counter(fields["Package"] for fields in packages)
    items: dict[str, Attributes] = {}
    for fields in packages:
        name, architecture = fields["Package"], fields.get("Architecture", "")
        source, state = fields.get("Source"), fields["Status"].split(" ")[-1]
        attributes = {"version": fields.get("Version", ""), "architecture": architecture}
        if source:
            attributes["source"] = source
        if state != "installed":
            attributes["state"] = state
        items[name if installations[name] == 1 else f"{name}:{architecture}"] = attributes
    return items
