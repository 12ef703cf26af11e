"""Reads of an ELF file what the dynamic loader looks at, and nothing else: https://refspecs.linuxfoundation.org/elf/gabi4+/.

The bytes are anybody's: every offset is checked, every count has a limit, and what breaks the format is a ValueError.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

# reads `size` bytes at an offset; fewer come where the file ends
Source = Callable[[int, int], bytes]

MAGIC = b"\x7fELF"

_MAX_OFFSET = 1 << 48  # no file system has larger files, and what is larger overflows a system call
_MAX_SEGMENTS = 1024
_MAX_DYNAMIC = 256 * 1024
_MAX_NOTES = 64 * 1024
_MAX_NAME = 4096
_MAX_NAMES = 512
_MAX_PATHS = 64
_MAX_BUILD_ID = 64

# e_machine, https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
_MACHINES = {
    3: "i386", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390x", 40: "arm", 62: "x86_64", 183: "aarch64",
    243: "riscv", 258: "loongarch",
}  # fmt: skip
_PT_LOAD, _PT_DYNAMIC, _PT_NOTE = 1, 2, 4
_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_SONAME, _DT_RPATH, _DT_RUNPATH = 0, 1, 5, 10, 14, 15, 29
_NT_GNU_BUILD_ID = 3


@dataclass(frozen=True)
class Elf:
    """What a file asks the dynamic loader for; search paths are as written, with `$ORIGIN`."""

    machine: str
    bits: int
    needed: tuple[str, ...] = ()
    soname: str | None = None
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    build_id: str | None = None


@dataclass(frozen=True)
class _Segment:
    kind: int
    offset: int
    address: int
    size: int
    alignment: int


@dataclass(frozen=True)
class _Layout:
    """How the numbers of this file are written."""

    order: str  # of struct: < or >
    bits: int

    def numbers(self, codes: str, content: bytes, offset: int = 0) -> tuple[int, ...]:
        """Numbers by the codes of struct, where A is an address or an offset; ValueError where they are cut off."""
        form = struct.Struct(self.order + codes.replace("A", "Q" if self.bits == 64 else "I"))
        if offset + form.size > len(content):
            raise ValueError("cut off")
        found: tuple[int, ...] = form.unpack_from(content, offset)
        return found


def machine(content: bytes) -> str | None:
    """The instruction set that an ELF file is for, by its first 20 bytes; None where it is none."""
    if content[:4] != MAGIC or len(content) < 20:
        return None
    (number,) = struct.unpack_from("<H" if content[5] == 1 else ">H", content, 18)
    return _MACHINES.get(number, f"elf-{number}")


def read_elf(read: Source) -> Elf:
    """Read one file; ValueError where it is no ELF file, or a damaged one."""
    header = _bytes(read, 0, 64)
    name = machine(header)
    if name is None or header[4] not in (1, 2) or header[5] not in (1, 2):
        raise ValueError("no ELF file")
    layout = _Layout("<" if header[5] == 1 else ">", 32 * header[4])
    segments = tuple(_segments(read, layout, header))
    dynamic = _dynamic(read, layout, segments)
    text = _strings(read, segments, dynamic)
    return Elf(
        machine=name,
        bits=layout.bits,
        needed=tuple(map(text, dynamic.get(_DT_NEEDED, ()))),
        soname=next(map(text, dynamic.get(_DT_SONAME, ())), None),
        rpath=_directories(map(text, dynamic.get(_DT_RPATH, ()))),
        runpath=_directories(map(text, dynamic.get(_DT_RUNPATH, ()))),
        build_id=_build_id(read, layout, segments),
    )


def _bytes(read: Source, offset: int, size: int) -> bytes:
    if offset > _MAX_OFFSET:
        raise ValueError("an offset beyond any file")
    return read(offset, size)


def _segments(read: Source, layout: _Layout, header: bytes) -> Iterator[_Segment]:
    """The program headers."""
    _, _, table, _, _, _, size, count = layout.numbers("IAAAIHHH", header, 20)
    if count > _MAX_SEGMENTS or size > _MAX_NAME:
        raise ValueError("too many program headers")
    content = _bytes(read, table, size * count)
    for place in range(0, size * count, size or 1):
        if layout.bits == 64:  # here the flags stand before the offset
            kind, _, offset, address, _, length, _, alignment = layout.numbers("IIAAAAAA", content, place)
        else:
            kind, offset, address, _, length, _, _, alignment = layout.numbers("IAAAAAIA", content, place)
        yield _Segment(kind, offset, address, length, alignment)


def _dynamic(read: Source, layout: _Layout, segments: tuple[_Segment, ...]) -> dict[int, list[int]]:
    """The values of the dynamic section by their tags, none in a static program."""
    found: dict[int, list[int]] = {}
    segment = next((one for one in segments if one.kind == _PT_DYNAMIC), None)
    if segment is None:
        return found
    if segment.size > _MAX_DYNAMIC:
        raise ValueError("too long a dynamic section")
    content = _bytes(read, segment.offset, segment.size)
    for place in range(0, segment.size, layout.bits // 4):
        tag, value = layout.numbers("AA", content, place)
        if tag == _DT_NULL:
            break
        values = found.setdefault(tag, [])
        values.append(value)
        if len(values) > _MAX_NAMES:
            raise ValueError("too many entries of one kind")
    return found


def _strings(read: Source, segments: tuple[_Segment, ...], dynamic: dict[int, list[int]]) -> Callable[[int], str]:
    """What gives the text at a place of the dynamic string table."""

    def text(place: int) -> str:
        if _DT_STRTAB not in dynamic or _DT_STRSZ not in dynamic:
            raise ValueError("no string table")
        address, size = dynamic[_DT_STRTAB][0], dynamic[_DT_STRSZ][0]
        holder = next((one for one in segments if one.kind == _PT_LOAD and 0 <= address - one.address < one.size), None)
        if holder is None or place >= size:
            raise ValueError("a name outside the string table")
        offset = holder.offset + address - holder.address + place
        name, end, _ = _bytes(read, offset, min(_MAX_NAME, size - place)).partition(b"\0")
        if not end:
            raise ValueError("a name without an end")
        return name.decode("utf-8", "surrogateescape")

    return text


def _directories(paths: Iterable[str]) -> tuple[str, ...]:
    """The parts of the last search path, which is the one that counts."""
    last = list(paths)[-1:]
    return tuple(part for path in last for part in path.split(":") if part)[:_MAX_PATHS]


def _build_id(read: Source, layout: _Layout, segments: tuple[_Segment, ...]) -> str | None:
    """The id that the linker wrote: https://docs.kernel.org/userspace-api/ELF.html tells how notes are laid out."""
    for segment in segments:
        if segment.kind != _PT_NOTE or segment.size > _MAX_NOTES:
            continue
        content = _bytes(read, segment.offset, segment.size)
        step = 8 if segment.alignment == 8 else 4
        place = 0
        while place + 12 <= len(content):
            name_size, size, kind = layout.numbers("III", content, place)
            start = place + 12 + _padded(name_size, step)
            if kind == _NT_GNU_BUILD_ID and content[place + 12 : place + 12 + name_size] == b"GNU\0":
                if not 0 < size <= _MAX_BUILD_ID or start + size > len(content):
                    raise ValueError("a build id of no possible size")
                return content[start : start + size].hex()
            place = start + _padded(size, step)
    return None


def _padded(size: int, step: int) -> int:
    return -(-size // step) * step
