"""What the agent costs: reading one environment, many, this whole host, and waiting for the next time."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from envparity_agent.collectors.interface import Options
from envparity_agent.collectors.memory import Memory
from envparity_agent.targets import fingerprint, host
from tests.performance.environments import filled_venv
from tests.performance.measuring import Figure, alone, in_process, program, side_by_side
from tests.performance.peers import OSQUERY_QUESTIONS, Peers
from tests.system.serving import served

LARGE = 306
MANY, EACH = 25, 32
IDLE_SECONDS = 60

_ENVPARITY = Path(sys.executable).with_name("envparity")


def reading(home: Path, peers: Peers) -> Iterator[Figure]:
    """One Python environment with every field, and 25 of them."""
    large = filled_venv(home / "large", LARGE)
    freeze = (peers.uv, "pip", "freeze", "--python", large)
    scan = in_process(lambda: fingerprint(str(large), Options()))
    yield side_by_side(f"one environment of {LARGE}, every field", scan, "uv pip freeze", program(*freeze), 1.5)
    listing = program(peers.python, "-m", "pip", "--python", large / "bin/python", "list")
    yield side_by_side("the same", scan, "pip list", listing, 0.15)
    inspecting = program(peers.python, "-m", "pip", "inspect", "--path", *large.glob("lib/*/site-packages"))
    yield side_by_side("the same", scan, "pip inspect", inspecting, 0.15)
    many = [filled_venv(home / f"many/{number}", EACH, number * EACH) for number in range(MANY)]

    def one_by_one() -> float:
        return sum(program(peers.uv, "pip", "freeze", "--python", one)() for one in many)

    def all_of_them() -> None:
        for one in many:
            fingerprint(str(one), Options())

    work = f"{MANY} environments of {EACH}, every field"
    yield side_by_side(work, in_process(all_of_them), f"uv pip freeze x {MANY}", one_by_one, 0.2)


def whole_host(home: Path, peers: Peers) -> Iterator[Figure]:
    """This machine: as a command, and once more in an agent that stays."""
    filled_venv(home / "host/app", EACH)
    show = program(_ENVPARITY, "show", "--json")
    if peers.osquery:
        asked = program(peers.osquery, "--json", "--disable_events", OSQUERY_QUESTIONS)
        yield side_by_side("this host, whole command, first pass of the walk", show, "osqueryi", asked, 0.1, rounds=3)
    else:
        yield alone("this host, whole command, first pass of the walk", show, rounds=3)
    memory = Memory()
    host(Options(), memory)
    yield alone("this host again, resident", in_process(lambda: host(Options(), memory)), aim=5.0)


def idle(home: Path, _: Peers) -> Iterator[Figure]:
    """An agent that has reported and waits: its memory, and its processor time in a minute."""
    home.mkdir(parents=True)
    with served(home, f"sqlite:///{home / 'server.db'}") as server:
        token = home / "token"
        token.write_text(server.token("enrol", "--environment", "dev"))
        state = ("--state", home / "state")
        enrol = (_ENVPARITY, "agent", "enroll", "--server", server.address, "--token-file", token, *state)
        subprocess.run(enrol, check=True, stdout=subprocess.DEVNULL)
        with subprocess.Popen([_ENVPARITY, "agent", "run", *state], stderr=subprocess.DEVNULL) as agent:
            try:
                _wait_until_quiet(agent.pid)
                before = _used(agent.pid)
                time.sleep(IDLE_SECONDS)
                yield Figure("idle agent, processor time a minute", (_used(agent.pid) - before) * 1000, "ms", aim=10.0)
                yield Figure("idle agent, memory", _status(agent.pid, "VmRSS") / 1024, "MiB", aim=60.0)
                yield Figure("agent at its peak, memory", _status(agent.pid, "VmHWM") / 1024, "MiB", aim=150.0)
            finally:
                agent.terminate()


def _wait_until_quiet(process: int) -> None:
    """Until it has used no processor time for three seconds: its first report is done."""
    quiet, used = 0, -1.0
    while quiet < 3:
        time.sleep(1)
        now = _used(process)
        quiet, used = (quiet + 1 if now == used else 0), now


def _used(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _status(process: int, name: str) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])
