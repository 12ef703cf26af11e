"""What it costs to read 50 running containers, and what is inside one, on a real engine."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker

from envparity_agent.collectors.interface import Options
from envparity_agent.targets import fingerprint, host
from tests.performance.measuring import Figure, Work, in_process, side_by_side
from tests.performance.peers import Peers
from tests.system.cache import cache_directory
from tests.system.engines import started_engines
from tests.system.images import BASE, import_root
from tests.system.roots import pristine_roots

RUNNING = 50


def containers(home: Path, _: Peers) -> Iterator[Figure]:
    """50 containers of one image with their identity, and the packages inside of one."""
    home.mkdir(parents=True)
    roots = pristine_roots(cache_directory())
    with started_engines(("bench",), "127.0.0.1:1") as engines:
        engine = engines["bench"]
        import_root(engine, roots.bookworm)
        for number in range(RUNNING):
            engine.docker("run", "--detach", "--network", "none", "--name", f"c{number}", BASE)
        client = docker.DockerClient(base_url=engine.url)
        (home / "empty").mkdir()

        def by_sdk() -> None:
            for one in client.containers.list():
                _ = one.image

        from_here = Options(root=str(home / "empty"), engine=engine.url)
        work = f"{RUNNING} containers with configuration and what is inside"
        ours = in_process(lambda: host(from_here))
        yield side_by_side(work, ours, "docker SDK: list and image", in_process(by_sdk), 1.0)
        inside = _wall(lambda: fingerprint("container:c0", Options(engine=engine.url)))
        code = "import importlib.metadata as metadata; list(metadata.distributions())"
        listed = _wall(lambda: engine.docker("exec", "c0", "python3", "-c", code))
        yield side_by_side("what is inside one container (wall)", inside, "docker exec python", listed, 1.0)


def _wall(work: Callable[[], object]) -> Work:
    """Seconds on the clock: most of a `docker exec` is the engine's work."""

    def once() -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    return once
