"""The operating system: what its files say it is."""

import re
import struct
from collections.abc import Iterator

from envparity_agent.collectors.interface import Subject
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Section, Status
from envparity_agent.root import MIB, Root

# e_machine of the ELF header, https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
_MACHINES = {
    3: "i386", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390x", 40: "arm", 62: "x86_64", 183: "aarch64",
    243: "riscv", 258: "loongarch",
}  # fmt: skip
_QUOTED = re.compile(r"""^(["'])?(.*?)(?:(?<!\\)["'])?$""")
# programs of which every system has one: what it is built for is what the system is built for
_PROGRAMS = ("usr/bin/env", "bin/sh", "usr/bin/dpkg", "bin/busybox", "sbin/init")
_GLIBC = re.compile(rb"GNU C Library [^\n]*version (\d+\.\d+)")
_MUSL = re.compile(rb"\x00(1\.\d+\.\d+)\x00")


def collect(subject: Subject) -> Iterator[Section]:
    """Yield `os`: distribution, libc, architecture; all of it from files, so it can be read in any root."""
    items: dict[str, Attributes] = {}
    reasons: set[str] = set()
    for read in (_distribution, _libc):
        try:
            items |= read(subject.root)
        except Unreadable as problem:
            reasons.add(problem.reason)  # the other facts stand
    status = Status.PARTIAL if reasons else Status.OK
    yield Section("os", "os", 1, items, status, tuple(sorted(reasons)))


def _distribution(root: Root) -> dict[str, Attributes]:
    # a key=value file of shell syntax, read as data only: https://www.freedesktop.org/software/systemd/man/os-release
    content = root.read_if_there("etc/os-release")
    if content is None:
        content = root.read("usr/lib/os-release")
    fields: dict[str, str] = {}
    for line in content.decode("utf-8", "replace").splitlines():
        key, separator, value = line.strip().partition("=")
        if separator and not key.startswith("#"):
            fields[key] = re.sub(r"\\(.)", r"\1", _QUOTED.sub(r"\2", value))
    facts: dict[str, str | None] = {
        "id": fields.get("ID", "linux"),
        "version": fields.get("VERSION_ID"),
        "codename": fields.get("VERSION_CODENAME"),
        "name": fields.get("PRETTY_NAME"),
    }
    debian = root.read_if_there("etc/debian_version", cap=4096)
    if debian:
        facts["point_release"] = debian.decode("utf-8", "replace").strip()
    return {"distribution": {key: value for key, value in facts.items() if value}}


def _libc(root: Root) -> dict[str, Attributes]:
    """Which C library, and the architecture that it is built for; nothing where none is found, as in a static image."""
    wanted = _programs_machine(root)  # a foreign architecture's library may lie beside the system's own
    for path in _libc_candidates(root):
        try:
            content = root.read(path, cap=16 * MIB)
        except Unreadable:
            continue  # another candidate may be the one: /lib32 and /lib of a multilib system
        machine = _elf_machine(content)
        for family, pattern in (("glibc", _GLIBC), ("musl", _MUSL)):
            found = pattern.search(content)
            if found and machine and wanted in (None, machine):
                return {
                    "libc": {"family": family, "version": found.group(1).decode()},
                    "architecture": {"machine": machine},
                }
    return {}


def _programs_machine(root: Root) -> str | None:
    for path in _PROGRAMS:
        try:
            machine = _elf_machine(root.read(path, cap=16 * MIB))
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


def _elf_machine(content: bytes) -> str | None:
    if content[:4] != b"\x7fELF" or len(content) < 20:
        return None
    order = "<" if content[5] == 1 else ">"
    (number,) = struct.unpack_from(f"{order}H", content, 18)
    return _MACHINES.get(number, f"elf-{number}")
