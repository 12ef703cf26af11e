"""A root directory full of traps: what a hostile or broken container, venv or host may hold, each of it for real.

The numbers are those of the list of bad inputs that the agent has to survive, one venv `srv/tNN` for each.
"""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.agent.trees import distribution, interpreter, put, system, venv

SECRET = "the-hosts-own-secret"  # noqa: S105  # a canary
TOO_MANY = 500_000
_DEVICE = os.makedev(1, 5)  # /dev/zero: reading never ends

_CANARY = "import os; os.mkdir({!r})\n"


def build_traps(root: Path, secret: Path, canary: Path) -> None:
    """Build them all below a root; `secret` lies outside, and what is executed makes the directory `canary`."""
    put(secret.parent, secret.name, f"Name: {SECRET}\nVersion: 1\n{SECRET}\n")
    system(root)
    interpreter(root)
    _no_regular_files(root)
    _links(root, secret)
    _sizes_and_texts(root)
    _forms(root)
    _code(root, canary)
    _configurations(root)
    hidden = venv(root, "srv/t23/hidden").parents[2]
    hidden.chmod(0)
    put(venv(root, "srv/t24"), "share.pth", "/mnt/share/site-packages\n")
    (root / "srv/t24/lib/python3.11/site-packages/hung-1.0.dist-info").symlink_to("/mnt/share/hung-1.0.dist-info")


def _dist_info(root: Path, number: int, name: str = "trap") -> Path:
    """A venv with one good distribution and one whose directory is returned, to be filled."""
    site = root / f"srv/t{number:02}/lib/python3.11/site-packages"
    if not site.is_dir():
        distribution(venv(root, f"srv/t{number:02}"), "good", "1.0")
    place = site / f"{name}-1.0.dist-info"
    place.mkdir()
    return place


def _no_regular_files(root: Path) -> None:
    os.mkfifo(_dist_info(root, 1) / "METADATA")
    os.mknod(_dist_info(root, 2) / "METADATA", 0o666 | stat.S_IFCHR, _DEVICE)
    (_dist_info(root, 2, "linked") / "METADATA").symlink_to("/dev/zero")


def _links(root: Path, secret: Path) -> None:
    (_dist_info(root, 3) / "METADATA").symlink_to(secret)
    (_dist_info(root, 3, "shadow") / "METADATA").symlink_to("/etc/shadow")
    (_dist_info(root, 4) / "METADATA").symlink_to(f"{'../' * 40}{secret}")
    (_dist_info(root, 5) / "METADATA").symlink_to(f"/proc/self/root{secret}")
    (_dist_info(root, 5, "init") / "METADATA").symlink_to(f"/proc/1/root{secret}")
    (_dist_info(root, 6) / "METADATA").symlink_to("METADATA")
    chain = _dist_info(root, 6, "chain")
    put(chain, "end", "Name: chain\nVersion: 1.0\n")
    for number in range(45):
        (chain / f"link{number}").symlink_to(f"link{number + 1}" if number < 44 else "end")
    (chain / "METADATA").symlink_to("link0")
    put(_dist_info(root, 7), "METADATA", "Name: trap\nVersion: 1.0\n")


def _sizes_and_texts(root: Path) -> None:
    with (_dist_info(root, 8) / "METADATA").open("wb") as sparse:
        sparse.truncate(1 << 40)
    headers = "".join(f"Classifier: {number}\n" for number in range(80_000))
    put(_dist_info(root, 9), "METADATA", f"Name: trap\n{headers}Version: 1.0\n\n")
    put(_dist_info(root, 10), "METADATA", b"Name: trap\nVersion: 1.0\nAuthor: J\xf6rg \xed\xa0\x80\0\n\n")
    put(_dist_info(root, 10, "latin"), "METADATA", b"Name: caf\xe9\nVersion: 1.0\xe9\0\n\n")
    put(_dist_info(root, 11), "METADATA", "Summary: no name, no version\n\n")
    for number, name in enumerate(("../../x", "x" * 100_000, "a\u202etxt", "\u0440\u0430y\u0440\u0430l", "a\x1b[31m")):
        put(_dist_info(root, 12, f"odd{number}"), "METADATA", f"Name: {name}\nVersion: 1.0\n\n")
    put(_dist_info(root, 13), "METADATA", f"Name: trap\nVersion: {'9' * 5000}\n\n")
    nested = f'dep; {"(" * 500}python_version > "3"{")" * 500}'
    put(_dist_info(root, 14), "METADATA", f"Name: trap\nVersion: 1.0\nRequires-Dist: {nested}\n\n")


def _forms(root: Path) -> None:
    site = venv(root, "srv/t15")
    distribution(site, "twice", "1.0")
    distribution(site, "twice", "2.0", {"twice/__init__.py": "two"})
    site = venv(root, "srv/t16")
    put(site, "bare-1.0.dist-info/METADATA", "Name: bare\nVersion: 1.0\n")
    put(site, "folder-1.0.egg-info/PKG-INFO", "Name: folder\nVersion: 1.0\n")
    put(site, "single-1.0.egg-info", "Name: single\nVersion: 1.0\n")
    put(root, "srv/src/linked.egg-info/PKG-INFO", "Name: linked\nVersion: 1.0\n")
    put(site, "linked.egg-link", "/srv/src\n.\n")
    put(site, "easy-install.pth", "/srv/src\n")
    site = venv(root, "srv/t17")
    distribution(site, "good", "1.0")
    for number in range(TOO_MANY):
        os.close(os.open(site / f"x{number}", os.O_CREAT | os.O_WRONLY))


def _code(root: Path, canary: Path) -> None:
    site = venv(root, "srv/t18")
    code = _CANARY.format(os.fspath(canary))
    put(site, "hook.pth", code)
    put(site, "sitecustomize.py", code)
    put(site, "usercustomize.py", code)
    put(site, "hook.start", "sitecustomize:main\n")
    put(site, "__editable___trap_finder.py", code)
    venv(root, "srv/t19")
    bomb = put(root, "srv/t19/bin/python", f"#!/bin/sh\nmkdir {canary}; $0 & $0\n")
    bomb.chmod(0o755)


def _configurations(root: Path) -> None:
    venv(root, "srv/t20", configuration="home = /srv/t20/bin\nversion = 3.11.2\n")
    venv(root, "srv/t20b", configuration=f"home = {'x' * (1 << 20)}\n")


@contextmanager
def racing(root: Path, secret: Path) -> Iterator[None]:
    """Swap, remove and replace while the context lasts: a link for a file, a venv for none, a version for another."""
    swapped = root / "srv/t07/lib/python3.11/site-packages/trap-1.0.dist-info"
    upgraded = venv(root, "srv/t22")
    distribution(upgraded, "tool", "1.0")

    def swap() -> None:
        (swapped / "link").symlink_to(secret)
        put(swapped, "file", "Name: trap\nVersion: 1.0\n")
        for name in ("link", "file"):
            os.replace(swapped / name, swapped / "METADATA")

    def vanish() -> None:
        distribution(venv(root, "made"), "good", "1.0")  # apart: one without packages is whole as well
        os.rename(root / "made", root / "srv/t21")
        os.rename(root / "srv/t21", root / "gone")
        for path, directories, files in os.walk(root / "gone", topdown=False):
            for name in files:
                os.unlink(f"{path}/{name}")
            for name in directories:
                os.rmdir(f"{path}/{name}")
        os.rmdir(root / "gone")

    def upgrade() -> None:
        for old, new in (("1.0", "2.0"), ("2.0", "1.0")):
            aside = upgraded / f"~ool-{old}.dist-info"  # as pip does
            os.rename(upgraded / f"tool-{old}.dist-info", aside)
            os.rename(aside, upgraded / f"tool-{new}.dist-info")

    with _repeated(swap), _repeated(vanish), _repeated(upgrade):
        yield


@contextmanager
def _repeated(step: Callable[[], None]) -> Iterator[None]:
    """Repeat a step in a thread for as long as the context lasts; its failure is the test's."""
    ended = threading.Event()
    failures: list[Exception] = []

    def loop() -> None:
        try:
            while not ended.is_set():
                step()
        except OSError as problem:
            failures.append(problem)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    assert failures == []
