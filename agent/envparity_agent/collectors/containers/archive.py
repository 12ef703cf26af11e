"""Copies what collectors read out of a container that this process may not look into, through the engine's archive.

Not root on the container's host, the engine runs in a virtual machine, or the container does not run: then
/proc/PID/root cannot be read, but the engine sends the container's files as a tar stream. Nothing of it runs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import docker

from envparity_agent.collectors.containers.streams import answer, faults_told
from envparity_agent.collectors.containers.tree import Copy
from envparity_agent.collectors.reads import Wanted

SILENCE_SECONDS = 60.0


@contextmanager
def copied(client: docker.APIClient, container: str, wanted: Wanted) -> Iterator[str]:
    """A directory with a container's tree, of its files only those that are wanted; raises Unreadable."""
    with TemporaryDirectory(prefix="envparity-") as place:
        copy = Copy(place, wanted)
        asked = answer(client, f"/containers/{container}/archive", SILENCE_SECONDS, {"path": "/"})
        with faults_told("archive"), asked as chunks:
            root = copy.make([copy.read(chunks)])
        yield root
