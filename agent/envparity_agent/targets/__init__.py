"""Turns what a person names as a target into its fingerprint."""

import os
import socket
from pathlib import Path

from envparity_agent.collectors import COLLECTORS, PYTHON_ONLY, ROOT
from envparity_agent.collectors.interface import Options, Subject
from envparity_agent.collectors.memory import Memory
from envparity_agent.errors import UsageError
from envparity_agent.fingerprint import Fingerprint, Target
from envparity_agent.root import Root
from envparity_agent.survey import survey


def fingerprint(text: str, options: Options, memory: Memory | None = None) -> Fingerprint:
    """The fingerprint of a target: `local`, `root:DIR`, `container:NAME`, `image:REF`, a directory, a file, or `-`.

    Whoever looks at several targets gives the same memory, so that what two have in common is parsed once.
    Raises UsageError for what is no target, CannotTell for one that cannot be read.
    """
    kind, separator, name = text.partition(":")
    if text == "local":
        return host(options, memory)
    if separator and kind == "root":
        return _root(name, options, memory or Memory())
    if separator and kind in ("container", "image"):
        # here and not above, as below: what an agent that stays or a look at a venv does not need takes long to load
        from envparity_agent.targets import containers

        return (containers.container if kind == "container" else containers.image)(name, options)
    if os.path.isdir(text):
        return _python(text, options, memory or Memory())
    if text == "-" or os.path.exists(text):
        from envparity_agent.targets import files

        return files.standard_input(options) if text == "-" else files.file(Path(text), options)
    raise UsageError(
        f"{text}: no such target",
        "a target is local, root:DIR, container:NAME, image:REF, a directory with a Python environment, "
        "a requirements file, a lock, a Dockerfile, a compose file, or a fingerprint file",
    )


def host(options: Options, memory: Memory | None = None) -> Fingerprint:
    """The fingerprint of this host, or of the host whose root directory is elsewhere.

    An agent that stays gives the same memory each time.
    """
    with Root(options.root) as root:
        subject = Subject(root, options, memory=memory or Memory())
        return survey(Target("host", host_name(root)), subject, COLLECTORS)


def host_name(root: Root) -> str:
    """The host's own name: a label, never an identity."""
    if root.live:
        return socket.gethostname()
    content = root.read_if_there("etc/hostname", cap=4096) or b""
    return content.decode("utf-8", "replace").strip() or os.path.basename(os.path.abspath(root.path))


def _root(path: str, options: Options, memory: Memory) -> Fingerprint:
    with Root(path) as root:
        subject = Subject(root, options, memory=memory)
        return survey(Target("root", path), subject, ROOT)


def _python(path: str, options: Options, memory: Memory) -> Fingerprint:
    place = os.path.abspath(path)
    with Root("/") as root:
        subject = Subject(root, options, only=place, memory=memory)
        return survey(Target("python", place), subject, PYTHON_ONLY)
