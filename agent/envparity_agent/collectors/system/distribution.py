"""The operating system: what its files say it is."""

import os
import re
from collections.abc import Iterator
from functools import partial

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.memory import stamp
from envparity_agent.collectors.reads import Reads
from envparity_agent.collectors.system.assignments import assignments
from envparity_agent.collectors.system.elf import machine as elf_machine
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Reason, Section, Status
from envparity_agent.root import MIB, Root

READS = Reads(
    content=(
        r"(?:etc|usr/lib)/os-release",
        r"etc/debian_version",
        r"libc\.so\.6",
        r"libc-[\d.]+\.so",  # what libc.so.6 leads to before glibc 2.34
        r"ld-musl-[^/]*",
        # the programs below, and what they lead to where they are links
        r"s?bin/(?:env|sh|dash|bash|busybox|coreutils|dpkg|init)",
    ),
)

_RELEASES = ("etc/os-release", "usr/lib/os-release")
# programs of which every system has one: what it is built for is what the system is built for
_PROGRAMS = ("usr/bin/env", "bin/sh", "usr/bin/dpkg", "bin/busybox", "sbin/init")
_GLIBC = re.compile(rb"GNU C Library [^\n]{0,200}version (\d+\.\d+)")
_MUSL = re.compile(rb"\x00(1\.\d+\.\d+)\x00")


def collect(subject: Subject) -> Iterator[Section]:
    """Yield `os`: distribution, libc, architecture; all of it from files, so it can be read in any root."""
    items: dict[str, Attributes] = {}
    reasons: set[str] = set()
    for read in (_distribution, _libc):
        try:
            items |= read(subject)
        except Unreadable as problem:
            reasons.add(problem.reason)  # the other facts stand
    status = Status.PARTIAL if reasons else Status.OK
    yield Section("os", "os", 1, items, status, tuple(sorted(reasons)))


def _distribution(subject: Subject) -> dict[str, Attributes]:
    """What os-release says; raises Unreadable, also where there is none: two that say nothing are not the same."""
    root = subject.root
    content = next(filter(None, map(root.read_if_there, _RELEASES)), None)
    if content is None:
        raise Unreadable(_RELEASES[0], Reason.NOT_INSTALLED)
    fields = assignments(content)
    facts: dict[str, str | None] = {
        "id": fields.get("ID") or "linux",
        "version": fields.get("VERSION_ID"),
        "codename": fields.get("VERSION_CODENAME"),
        "name": fields.get("PRETTY_NAME"),
    }
    debian = root.read_if_there("etc/debian_version", cap=4096)
    if debian:
        facts["point_release"] = debian.decode("utf-8", "replace").strip()
    return {"distribution": {key: value for key, value in facts.items() if value}}


def _libc(subject: Subject) -> dict[str, Attributes]:
    """Which C library, and the architecture that it is built for; nothing where there is none, as in a static image."""
    wanted = programs_machine(subject.root)  # a foreign architecture's library may lie beside the system's own
    unreadable: Unreadable | None = None
    for path in _libc_candidates(subject.root):
        try:
            key = ("libc", subject.prefix, path)
            found = subject.memory.recall(key, stamp(subject.root, path), partial(_read_libc, subject.root, path))
        except Unreadable as problem:
            # another candidate may be the one: /lib32 and /lib of a multilib system
            unreadable = unreadable if problem.reason == Reason.VANISHED else problem
            continue
        if found and wanted in (None, found["architecture"]["machine"]):
            return found
    if unreadable:
        raise unreadable
    return {}


def _read_libc(root: Root, path: str) -> dict[str, Attributes] | None:
    content = root.read(path, cap=16 * MIB)
    machine = elf_machine(content)
    for family, pattern in (("glibc", _GLIBC), ("musl", _MUSL)):
        found = pattern.search(content)
        if found and machine:
            return {
                "libc": {"family": family, "version": found.group(1).decode()},
                "architecture": {"machine": machine},
            }
    return None


def programs_machine(root: Root) -> str | None:
    """The instruction set that the system's own programs are built for; None where none of them can be read."""
    for path in _PROGRAMS:
        try:
            with root.regular(path) as descriptor:
                machine = elf_machine(os.pread(descriptor, 64, 0))
        except Unreadable:
            continue  # not every system has each of them
        if machine:
            return machine
    return None


def _libc_candidates(root: Root) -> Iterator[str]:
    for directory in ("lib", "lib64", "usr/lib", "usr/lib64"):
        for name in root.names(directory):
            if name == "libc.so.6" or name.startswith("ld-musl-"):
                yield f"{directory}/{name}"
            elif "-linux-gnu" in name:  # also -linux-gnueabihf, -linux-gnuabi64
                yield f"{directory}/{name}/libc.so.6"
