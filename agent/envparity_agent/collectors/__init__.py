"""The collectors, in the order in which they run."""

from envparity_agent.collectors import containers, machine, operating_system, os_packages, python
from envparity_agent.collectors.interface import Collector

COLLECTORS = (
    Collector("os", "os", operating_system.collect),
    Collector("os/machine", "machine", machine.collect),
    Collector("os-packages", "os-packages", os_packages.collect),
    Collector("python", "python-search", python.collect),
    Collector("containers", "containers", containers.collect),
)

PYTHON_ONLY = (COLLECTORS[3],)
INSIDE = COLLECTORS[:1] + COLLECTORS[2:4]  # what a root that is not a host's has: no machine, no engine
