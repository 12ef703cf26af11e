"""Where Python environments lie by custom: the system's, and those that tools make in home directories.

A `*` stands for every name in a directory. Each place is a prefix, a venv or a site directory, if it is there at all.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from envparity_agent.collectors.reads import Reads
from envparity_agent.errors import Unreadable
from envparity_agent.root import Root

READS = Reads(content=(r"etc/passwd", r"\.conda/environments\.txt"))

MAX_HOMES = 1000
MAX_NAMES = 1000  # of one `*`

_CONDA = ("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba", "conda")
_SYSTEM = (
    "usr",
    "usr/local",
    "opt/*",  # /opt/venv, /opt/python3.12, /opt/conda
    *(f"opt/{name}/envs/*" for name in _CONDA),
    "opt/rh/*/root/usr",  # software collections
    "opt/pyenv/versions/*",
    "usr/local/pyenv/versions/*",
    "opt/pipx/venvs/*",
    "srv/*",
    "srv/*/*venv",
)
_HOME = (
    ".pyenv/versions/*",
    ".pyenv/versions/*/envs/*",  # pyenv-virtualenv
    ".asdf/installs/python/*",
    ".local/share/mise/installs/python/*",
    ".rye/py/*",
    ".local/share/uv/python/*",
    ".local/share/uv/tools/*",
    ".local/share/pipx/venvs/*",
    ".local/pipx/venvs/*",  # before pipx 1.2
    ".cache/pypoetry/virtualenvs/*",
    ".local/share/virtualenvs/*",  # pipenv
    ".virtualenvs/*",  # virtualenvwrapper
    ".local/share/hatch/env/virtual/*/*/*",
    *_CONDA,
    *(f"{name}/envs/*" for name in _CONDA),
    ".conda/envs/*",
    ".local/lib/python*/site-packages",  # pip install --user
    ".local",
)


def places(root: Root) -> Iterator[str]:
    """Paths below the root where an environment may be; what cannot be looked into is the walk's to tell."""
    of_people = homes(root)
    for pattern in (*_SYSTEM, *(f"{home}/{pattern}" for home in of_people for pattern in _HOME)):
        yield from _matching(root, pattern)
    for home in of_people:
        yield from _listed(root, f"{home}/.conda/environments.txt")


def homes(root: Root) -> tuple[str, ...]:
    """The home directories that exist by /etc/passwd or by name, relative to the root."""
    found = {"root": None}
    try:
        lines = (root.read_if_there("etc/passwd") or b"").decode("utf-8", "replace").splitlines()
        found |= dict.fromkeys(line.split(":")[5].strip("/") for line in lines if line.count(":") == 6)
        found |= dict.fromkeys(f"home/{name}" for name in root.names("home"))
    except Unreadable:
        pass  # the others stand
    return tuple(home for home in found if home and home not in ("nonexistent", "dev/null"))[:MAX_HOMES]


def _matching(root: Root, pattern: str) -> Iterator[str]:
    before, star, after = pattern.partition("*")
    if not star:
        yield pattern
        return
    directory, _, beginning = before.rpartition("/")
    end, separator, rest = after.partition("/")
    try:
        names = root.names(directory)[:MAX_NAMES]
    except Unreadable:
        return
    for name in names:
        if fnmatchcase(name, f"{beginning}*{end}"):
            yield from _matching(root, f"{directory}/{name}{separator}{rest}")


def _listed(root: Root, path: str) -> Iterator[str]:
    """The prefixes that conda keeps a list of: https://docs.conda.io/projects/conda/en/stable/dev-guide/deep-dives/."""
    try:
        content = root.read_if_there(path) or b""
    except Unreadable:
        return
    for line in content.decode("utf-8", "replace").splitlines()[:MAX_NAMES]:
        if line.startswith("/"):
            yield line.strip("/ ")
