"""Builds small root directories with real files: what a collector finds on a host, in a container, in a venv."""

import csv
import io
import struct
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

X86_64, AARCH64, ARM, I386 = 62, 183, 40, 3
GLIBC = b"GNU C Library (Debian GLIBC 2.36-9+deb12u7) stable release version 2.36.\n"


def put(root: Path, path: str, content: str | bytes = "") -> Path:
    """Write a file below a root with the directories that it needs."""
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return place


def elf(machine: int, content: bytes = b"") -> bytes:
    """The header of a little-endian ELF file, followed by what a program would hold."""
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, machine) + bytes(44) + content


def shared_library(
    bits: int = 64,
    order: str = "<",
    needed: str = "libz.so.1",
    soname: str = "libself.so.2",
    runpath: str = "$ORIGIN/../lib:/opt/lib",
    build_id: bytes = b"\xde\xad\xbe\xef",
) -> bytes:
    """A whole ELF library of any width and byte order: one loaded segment, a dynamic section, maybe a build id."""
    address = {32: "I", 64: "Q"}[bits]
    header_size, entry_size = {32: (52, 32), 64: (64, 56)}[bits]
    names = b"\0" + b"".join(name.encode() + b"\0" for name in (needed, soname, runpath))
    notes = struct.pack(f"{order}III", 4, len(build_id), 3) + b"GNU\0" + build_id if build_id else b""
    strings, base = header_size + 3 * entry_size, 0x1000
    places = 1, 2 + len(needed), 3 + len(needed) + len(soname)
    tags = [(1, places[0]), (14, places[1]), (29, places[2]), (5, base + strings), (10, len(names)), (0, 0)]
    dynamic = b"".join(struct.pack(f"{order}{address * 2}", *entry) for entry in tags)
    after_names = strings + len(names)
    size = after_names + len(notes) + len(dynamic)

    def segment(kind: int, offset: int, length: int) -> bytes:
        if bits == 64:
            return struct.pack(f"{order}IIQQQQQQ", kind, 4, offset, base + offset, 0, length, length, 4)
        return struct.pack(f"{order}IIIIIIII", kind, offset, base + offset, 0, length, length, 4, 4)

    identity = b"\x7fELF" + bytes((bits // 32, 1 if order == "<" else 2, 1)) + bytes(9)
    numbers = (3, X86_64, 1, 0, header_size, 0, 0, header_size, entry_size, 3, 0, 0, 0)
    header = identity + struct.pack(f"{order}HHI{address * 3}IHHHHHH", *numbers)
    segments = (
        segment(1, 0, size) + segment(4, after_names, len(notes)) + segment(2, after_names + len(notes), len(dynamic))
    )
    return header + segments + names + notes + dynamic


def system(root: Path) -> Path:
    """A small Debian: os-release, a C library and dpkg's database."""
    put(root, "etc/os-release", 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian 12"\n')
    put(root, "etc/debian_version", "12.5\n")
    put(root, "etc/hostname", "web-1\n")
    put(root, "usr/lib/x86_64-linux-gnu/libc.so.6", elf(X86_64, GLIBC))
    put(
        root,
        "var/lib/dpkg/status",
        "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc\nVersion: 2.36-9\n\n",
    )
    return root


def interpreter(root: Path, prefix: str = "usr", abi: str = "3.11", version: str = "3.11.2") -> Path:
    """A CPython below a prefix: its standard library and the header that tells its version."""
    put(root, f"{prefix}/lib/python{abi}/os.py")
    put(root, f"{prefix}/include/python{abi}/patchlevel.h", f'#define PY_VERSION              "{version}"\n')
    return root / prefix / "lib" / f"python{abi}"


def venv(
    root: Path, prefix: str, abi: str = "3.11", configuration: str = "home = /usr/bin\nversion = 3.11.2\n"
) -> Path:
    """A virtual environment with an empty site directory, which is returned."""
    put(root, f"{prefix}/pyvenv.cfg", configuration)
    site = root / prefix / "lib" / f"python{abi}" / "site-packages"
    site.mkdir(parents=True)
    return site


def record(rows: Mapping[str, bytes], own: str) -> str:
    """The RECORD of these files, as pip writes it, its own row without a hash."""
    text = io.StringIO()
    writer = csv.writer(text)
    for path, content in rows.items():
        hash = urlsafe_b64encode(sha256(content).digest()).rstrip(b"=").decode()
        writer.writerow((path, f"sha256={hash}", len(content)))
    writer.writerow((own, "", ""))
    return text.getvalue()


def distribution(site: Path, name: str, version: str, files: Mapping[str, str] | None = None) -> Path:
    """An installed wheel: its files, METADATA, WHEEL, INSTALLER and RECORD; returns the dist-info directory."""
    folder = f"{name}-{version}.dist-info"
    contents = {path: content.encode() for path, content in (files or {f"{name}/__init__.py": version}).items()}
    contents[f"{folder}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nWords.\n".encode()
    contents[f"{folder}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    contents[f"{folder}/INSTALLER"] = b"pip\n"
    for path, content in contents.items():
        put(site, path, content)
    put(site, f"{folder}/RECORD", record(contents, f"{folder}/RECORD"))
    return site / folder
