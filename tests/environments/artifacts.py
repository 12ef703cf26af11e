"""Wheels and source trees made by hand, to be installed by the real tools: always the same bytes, no index asked."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.agent.trees import put, record

_MOMENT = (2026, 11, 1, 12, 0, 0)

# a build backend in the source tree itself, so that pip and uv build it without asking an index
_BACKEND = """
import base64, hashlib, os, zipfile

NAME, VERSION = {name!r}, {version!r}

def _wheel(directory, files):
    info = f"{{NAME}}-{{VERSION}}.dist-info"
    files = dict(files)
    files[f"{{info}}/METADATA"] = f"Metadata-Version: 2.1\\nName: {{NAME}}\\nVersion: {{VERSION}}\\n"
    files[f"{{info}}/WHEEL"] = "Wheel-Version: 1.0\\nGenerator: in-tree\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    rows = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{{path}},sha256={{digest}},{{len(text.encode())}}\\n")
    name = f"{{NAME}}-{{VERSION}}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(directory, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(f"{{info}}/RECORD", "".join(rows) + f"{{info}}/RECORD,,\\n")
    return name

def build_wheel(directory, settings=None, metadata=None):
    with open(os.path.join("src", NAME, "__init__.py")) as source:
        return _wheel(directory, {{f"{{NAME}}/__init__.py": source.read()}})

def build_editable(directory, settings=None, metadata=None):
    return _wheel(directory, {{f"__editable__.{{NAME}}.pth": os.path.abspath("src") + "\\n"}})
"""


def wheel(
    place: Path,
    name: str,
    version: str = "1.0",
    files: Mapping[str, str] | None = None,
    headers: Sequence[str] = (),
    tag: str = "py3-none-any",
    build: str = "",
    dist_info: str = "",
) -> Path:
    """A wheel; `headers` are further lines of METADATA, `dist_info` another spelling of name and version there."""
    module = name.replace("-", "_").replace(".", "_").lower()
    spelled = dist_info or f"{module}-{version}"
    folder = f"{spelled}.dist-info"
    contents = {path: text.encode() for path, text in (files or {f"{module}/__init__.py": f"{version}\n"}).items()}
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *headers]
    contents[f"{folder}/METADATA"] = "\n".join([*lines, "", "Words.", ""]).encode()
    built = f"Build: {build}\n" if build else ""
    contents[f"{folder}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: {tag}\n{built}".encode()
    )
    place.mkdir(parents=True, exist_ok=True)
    made = place / f"{spelled}{f'-{build}' if build else ''}-{tag}.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for path, content in {**contents, f"{folder}/RECORD": record(contents, f"{folder}/RECORD").encode()}.items():
            archive.writestr(zipfile.ZipInfo(path, _MOMENT), content)
    return made


def source_tree(place: Path, name: str, version: str = "1.0") -> Path:
    """A project with `src/NAME` that builds itself."""
    put(place, f"src/{name}/__init__.py", f"{version}\n")
    put(place, ".gitignore", "__pycache__/\n*.egg-info/\n")
    put(place, "backend.py", _BACKEND.format(name=name, version=version))
    put(
        place,
        "pyproject.toml",
        f'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        f'[project]\nname = "{name}"\nversion = "{version}"\n',
    )
    return place
